import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.*;

/**
 * Drives a running server with pgjdbc: Clients HOST PORT PASSWORD, the driver on the class path. What it says of schemas is
 * the matter of Metadata.java.
 */
public class Clients {
    static void check(boolean truth, String what) {
        if (!truth) throw new AssertionError(what);
    }

    static void same(Object a, Object b) {
        check(Objects.equals(a, b), a + " is not " + b);
    }

    interface Action { void run() throws Exception; }

    static SQLException fails(String state, Action action) throws Exception {
        try {
            action.run();
        } catch (SQLException e) {
            same(e.getSQLState(), state);
            return e;
        }
        throw new AssertionError(state + " expected");
    }

    public static void main(String[] args) throws Exception {
        String url = "jdbc:postgresql://" + args[0] + ":" + args[1] + "/postgres";
        for (String mode : List.of("extended", "extendedForPrepared", "extendedCacheEverything")) {
            Properties properties = new Properties();
            properties.put("user", "postgres");
            properties.put("password", args[2]);
            properties.put("preferQueryMode", mode);
            properties.put("prepareThreshold", "2");
            try (Connection c = DriverManager.getConnection(url, properties)) {
                values(c);
                batches(c);
                transactions(c);
                cursors(c);
                metadata(c);
            }
        }
        System.out.println("pgjdbc " + org.postgresql.Driver.class.getPackage().getImplementationVersion());
    }

    static void values(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.execute("DROP TABLE IF EXISTS child, jdbc");
            s.execute("CREATE TABLE jdbc (a int PRIMARY KEY, b bigint, c float8, d numeric(10,3), e text, f bytea, g bool, h date, i timestamptz, j uuid, k int[], l jsonb)");
        }
        OffsetDateTime when = OffsetDateTime.of(2024, 2, 29, 12, 34, 56, 789012000, ZoneOffset.UTC);
        UUID key = UUID.fromString("12345678-1234-5678-1234-567812345678");
        try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb)")) {
            p.setInt(1, 1);
            p.setLong(2, 1L << 40);
            p.setDouble(3, 1.5);
            p.setBigDecimal(4, new BigDecimal("12345.678"));
            p.setString(5, "text 'ü' 日本語");
            p.setBytes(6, new byte[] {0, -1});
            p.setBoolean(7, true);
            p.setObject(8, LocalDate.of(2024, 2, 29));
            p.setObject(9, when);
            p.setObject(10, key);
            p.setArray(11, c.createArrayOf("int4", new Integer[] {1, null, 3}));
            p.setString(12, "{\"x\": [1, 2]}");
            same(p.executeUpdate(), 1);
        }
        // Often enough for named statements and binary values.
        try (PreparedStatement p = c.prepareStatement("SELECT * FROM jdbc WHERE a = ?")) {
            for (int n = 0; n < 8; n++) {
                p.setInt(1, 1);
                try (ResultSet r = p.executeQuery()) {
                    check(r.next(), "a row");
                    same(r.getLong("b"), 1L << 40);
                    same(r.getDouble(3), 1.5);
                    same(r.getBigDecimal(4), new BigDecimal("12345.678"));
                    same(r.getString(5), "text 'ü' 日本語");
                    check(Arrays.equals(r.getBytes(6), new byte[] {0, -1}), "bytes");
                    same(r.getBoolean(7), true);
                    same(r.getObject(8, LocalDate.class), LocalDate.of(2024, 2, 29));
                    same(r.getObject(9, OffsetDateTime.class).toInstant(), when.toInstant());
                    same(r.getObject(10), key);
                    same(Arrays.asList((Integer[]) r.getArray(11).getArray()), Arrays.asList(1, null, 3));
                    same(r.getString(12), "{\"x\": [1, 2]}");
                    check(!r.next(), "one row");
                }
            }
        }
        SQLException e = fails("23505", () -> c.createStatement().execute("INSERT INTO jdbc (a) VALUES (1)"));
        same(((org.postgresql.util.PSQLException) e).getServerErrorMessage().getConstraint(), "jdbc_pkey");
        fails("42703", () -> c.createStatement().executeQuery("SELECT nosuch"));
        try (Statement s = c.createStatement()) {
            s.executeUpdate("DROP TABLE IF EXISTS keyed");
            s.executeUpdate("CREATE TABLE keyed (id serial PRIMARY KEY, v text)");
            s.executeUpdate("INSERT INTO keyed (v) VALUES ('x'), ('y')", Statement.RETURN_GENERATED_KEYS);
            try (ResultSet keys = s.getGeneratedKeys()) {
                check(keys.next() && keys.getInt("id") == 1 && keys.next() && keys.getInt(1) == 2, "keys");
            }
        }
    }

    static void batches(Connection c) throws Exception {
        try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc (a, e) VALUES (?, ?)")) {
            for (int i = 100; i < 1100; i++) {
                p.setInt(1, i);
                p.setString(2, "row " + i);
                p.addBatch();
            }
            int[] counts = p.executeBatch();
            same(counts.length, 1000);
            p.setInt(1, 5000);
            p.setString(2, "x");
            p.addBatch();
            p.setInt(1, 100);
            p.addBatch();
            try {
                p.executeBatch();
                throw new AssertionError("a key twice");
            } catch (BatchUpdateException e) {
                same(e.getSQLState(), "23505");
            }
        }
        var copy = c.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
        same(copy.copyIn("COPY jdbc (a, e) FROM STDIN (FORMAT csv)", new StringReader("7001,\"a,b\"\n7002,\n")), 2L);
        StringWriter out = new StringWriter();
        same(copy.copyOut("COPY (SELECT a, e FROM jdbc WHERE a > 7000 ORDER BY a) TO STDOUT", out), 2L);
        same(out.toString(), "7001\ta,b\n7002\t\\N\n");
        fails("22P02", () -> copy.copyIn("COPY jdbc (a) FROM STDIN", new StringReader("x\n")));
    }

    static void transactions(Connection c) throws Exception {
        c.setAutoCommit(false);
        try (Statement s = c.createStatement()) {
            s.executeUpdate("DELETE FROM jdbc WHERE a = 7001");
            Savepoint point = c.setSavepoint();
            fails("22012", () -> s.executeQuery("SELECT 1/0"));
            c.rollback(point);
            s.executeUpdate("UPDATE jdbc SET b = 1 WHERE a = 7002");
            c.rollback();
            c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            try (ResultSet r = s.executeQuery("SHOW transaction_isolation")) {
                check(r.next(), "a row");
                same(r.getString(1), "repeatable read");
            }
            c.commit();
            c.setReadOnly(true);
            fails("25006", () -> s.executeUpdate("DELETE FROM jdbc"));
            c.rollback();
            c.setReadOnly(false);
            c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            try (ResultSet r = s.executeQuery("SELECT count(*) FROM jdbc WHERE a > 7000")) {
                check(r.next() && r.getInt(1) == 2, "rows");
            }
            c.commit();
        }
        c.setAutoCommit(true);
    }

    static void cursors(Connection c) throws Exception {
        c.setAutoCommit(false);
        try (Statement s = c.createStatement()) {
            s.setFetchSize(70);
            int n = 0;
            try (ResultSet r = s.executeQuery("SELECT a FROM jdbc WHERE a BETWEEN 100 AND 1099 ORDER BY a")) {
                while (r.next()) same(r.getInt(1), 100 + n++);
            }
            same(n, 1000);
        }
        c.commit();
        c.setAutoCommit(true);
        try (Statement s = c.createStatement()) {
            s.setQueryTimeout(1);
            fails("57014", () -> s.executeQuery("SELECT pg_sleep(20)"));
        }
        try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)) {
            try (ResultSet r = s.executeQuery("SELECT a FROM jdbc WHERE a BETWEEN 101 AND 103 ORDER BY a")) {
                check(r.last() && r.getInt(1) == 103 && r.first() && r.getInt(1) == 101, "rows");
            }
        }
    }

    static List<String> column(ResultSet r, String name) throws Exception {
        List<String> all = new ArrayList<>();
        try (r) {
            while (r.next()) all.add(r.getString(name));
        }
        return all;
    }

    static void metadata(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.execute("DROP TABLE IF EXISTS child");
            s.execute("CREATE TABLE child (x int REFERENCES jdbc ON DELETE CASCADE, y varchar(9) NOT NULL DEFAULT 'z', UNIQUE (y, x))");
            s.execute("COMMENT ON COLUMN child.y IS 'remark'");
        }
        DatabaseMetaData m = c.getMetaData();
        same(m.getDatabaseMajorVersion(), 18);
        same(column(m.getTables(null, "public", "child", new String[] {"TABLE"}), "TABLE_NAME"), List.of("child"));
        check(column(m.getSchemas(), "TABLE_SCHEM").contains("public"), "schemas");
        same(column(m.getColumns(null, "public", "child", "%"), "COLUMN_NAME"), List.of("x", "y"));
        same(column(m.getColumns(null, "public", "child", "y"), "COLUMN_SIZE"), List.of("9"));
        same(column(m.getColumns(null, "public", "child", "y"), "REMARKS"), List.of("remark"));
        same(column(m.getImportedKeys(null, "public", "child"), "PKTABLE_NAME"), List.of("jdbc"));
        same(column(m.getExportedKeys(null, "public", "jdbc"), "FKCOLUMN_NAME"), List.of("x"));
        check(column(m.getTypeInfo(), "TYPE_NAME").contains("int4"), "types");
        check(!column(m.getFunctions(null, "pg_catalog", "upper"), "FUNCTION_NAME").isEmpty(), "functions");
        check(!column(m.getTablePrivileges(null, "public", "child"), "PRIVILEGE").isEmpty(), "privileges");
        check(!column(m.getColumnPrivileges(null, "public", "child", "y"), "PRIVILEGE").isEmpty(), "column privileges");
        check(column(m.getCatalogs(), "TABLE_CAT").contains("postgres"), "catalogs");
        try (PreparedStatement p = c.prepareStatement("SELECT x, y AS why FROM child WHERE x = ?")) {
            same(p.getParameterMetaData().getParameterTypeName(1), "int4");
            ResultSetMetaData r = p.getMetaData();
            same(r.getColumnLabel(2), "why");
            same(r.getTableName(1), "child");
            same(r.isNullable(2), ResultSetMetaData.columnNoNulls);
            same(r.getPrecision(2), 9);
        }
    }
}
