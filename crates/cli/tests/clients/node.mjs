// Drives a running server with node-postgres, postgres.js and Drizzle: node.mjs HOST PORT PASSWORD. Exits 77 when a package is missing.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [host, port, password] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const require = createRequire(process.env.HATHI_NODE_MODULES ? `${process.env.HATHI_NODE_MODULES}/x.js` : import.meta.url);
let pg, postgres, drizzle, core, orm, migrator;
try {
  pg = require("pg");
  postgres = require("postgres");
  drizzle = require("drizzle-orm/node-postgres").drizzle;
  core = require("drizzle-orm/pg-core");
  orm = require("drizzle-orm");
} catch (e) {
  console.log(`missing: ${e.message.split("\n")[0]} (npm install pg postgres drizzle-orm)`);
  process.exit(77);
}
const config = { host, port, user: "postgres", password, database: "postgres" };

async function withNodePostgres() {
  const client = new pg.Client(config);
  const notices = [];
  client.on("notice", (n) => notices.push(n.message));
  await client.connect();
  await client.query("CREATE TABLE np (a int PRIMARY KEY, b bigint, c text, d jsonb, e timestamptz, f text[], g bytea, h numeric)");
  await client.query("DROP TABLE IF EXISTS nosuch");
  assert.deepEqual(notices, ['table "nosuch" does not exist, skipping']);
  const when = new Date("2024-02-29T12:34:56.789Z");
  const row = [1, "9007199254740993", "text ü", { x: [1, null] }, when, ["a", "b c", null], Buffer.from([0, 255]), "12345.6789"];
  await client.query("INSERT INTO np VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", row);
  const back = await client.query({ text: "SELECT * FROM np WHERE a = $1", values: [1], rowMode: "array" });
  assert.deepEqual(back.rows[0], row);
  assert.deepEqual(back.fields.map((f) => f.name).join(""), "abcdefgh");
  for (let i = 0; i < 3; i++) {
    const named = await client.query({ name: "by-key", text: "SELECT a + $1::int AS n FROM np WHERE a = $2", values: [i, 1] });
    assert.equal(named.rows[0].n, 1 + i);
  }
  await assert.rejects(client.query("INSERT INTO np (a) VALUES (1)"), (e) => e.code === "23505" && e.constraint === "np_pkey" && e.detail === "Key (a)=(1) already exists.");
  await assert.rejects(client.query("SELECT nosuch"), (e) => e.code === "42703" && e.position === "8");
  // Queries that wait in the client's queue.
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => client.query("SELECT $1::int AS i", [i])));
  assert.deepEqual(many.map((r) => r.rows[0].i), Array.from({ length: 50 }, (_, i) => i));
  const several = await client.query("SELECT 1 AS one; SELECT 2 AS two");
  assert.deepEqual(several.map((r) => Object.values(r.rows[0])[0]), [1, 2]);
  await client.query("BEGIN");
  await client.query("DELETE FROM np");
  await assert.rejects(client.query("SELECT 1/0"), (e) => e.code === "22012");
  await assert.rejects(client.query("SELECT 1"), (e) => e.code === "25P02");
  await client.query("ROLLBACK");
  assert.equal((await client.query("SELECT count(*)::int AS n FROM np")).rows[0].n, 1);
  await client.end();
  const pool = new pg.Pool({ ...config, max: 4 });
  const counted = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query("INSERT INTO np (a) VALUES ($1) RETURNING a", [i + 100])));
  assert.equal(counted.length, 40);
  await pool.end();
}

async function untilIt(is) {
  for (let i = 0; !is(); i++) {
    assert.ok(i < 1000, "it takes too long");
    await new Promise((done) => setTimeout(done, 10));
  }
}

async function withNotificationsAndCursors() {
  const [listener, teller] = [new pg.Client(config), new pg.Client(config)];
  await Promise.all([listener.connect(), teller.connect()]);
  const heard = [];
  listener.on("notification", (n) => heard.push([n.processId, n.channel, n.payload]));
  await listener.query("LISTEN np");
  await teller.query("NOTIFY np, 'first'");
  await teller.query("BEGIN; NOTIFY np, 'never'; ROLLBACK");
  await teller.query("BEGIN; NOTIFY np, 'second'; COMMIT");
  await untilIt(() => heard.length >= 2);
  assert.deepEqual(heard, [[teller.processID, "np", "first"], [teller.processID, "np", "second"]]);
  // What takes long is cancelled from elsewhere.
  const slow = assert.rejects(listener.query("SELECT pg_sleep(60)"), (e) => e.code === "57014");
  const isAsleep = async () => (await teller.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'", [listener.processID])).rowCount === 1;
  while (!(await isAsleep()));
  await teller.query("SELECT pg_cancel_backend($1)", [listener.processID]);
  await slow;
  assert.equal((await listener.query("SELECT 1 AS x")).rows[0].x, 1);
  try {
    // Cursors are portals that are read in portions.
    const cursor = listener.query(new (require("pg-cursor"))("SELECT i FROM generate_series(1, $1::int) AS i", [250]));
    const sizes = [];
    for (let rows = await cursor.read(100); rows.length > 0; rows = await cursor.read(100)) sizes.push(rows.length);
    assert.deepEqual(sizes, [100, 100, 50]);
    await cursor.close();
    const half = listener.query(new (require("pg-cursor"))("SELECT i FROM generate_series(1, 1000) AS i"));
    assert.equal((await half.read(10)).length, 10);
    await half.close();
    const Stream = require("pg-query-stream");
    const seen = [];
    for await (const row of listener.query(new Stream("SELECT i FROM generate_series(1, 5000) AS i", [], { batchSize: 64 }))) seen.push(row.i);
    assert.deepEqual([seen.length, seen[4999]], [5000, 5000]);
    for await (const row of listener.query(new Stream("SELECT i FROM generate_series(1, 100000) AS i", [], { batchSize: 64 }))) if (row.i === 100) break;
    assert.equal((await listener.query("SELECT 2 AS x")).rows[0].x, 2);
  } catch (e) {
    if (e.code !== "MODULE_NOT_FOUND") throw e;
    console.error(`missing: ${e.message.split("\n")[0]} (npm install pg-cursor pg-query-stream)`);
  }
  await Promise.all([listener.end(), teller.end()]);
}

async function withPostgresJs() {
  const sql = postgres({ ...config, max: 3, onnotice: () => {} });
  await sql`CREATE TABLE pj (a int PRIMARY KEY, b text, c jsonb, d date, e int[])`;
  const rows = Array.from({ length: 100 }, (_, i) => ({ a: i, b: `row ${i}` }));
  await sql`INSERT INTO pj ${sql(rows, "a", "b")}`;
  assert.equal((await sql`SELECT count(*)::int AS n FROM pj`)[0].n, 100);
  await sql`UPDATE pj SET c = ${sql.json({ k: [1, "two"] })}, e = ${[1, 2, 3]} WHERE a = ${7}`;
  const [seven] = await sql`SELECT * FROM pj WHERE a IN ${sql([7])}`;
  assert.deepEqual([seven.c, [...seven.e], seven.b], [{ k: [1, "two"] }, [1, 2, 3], "row 7"]);
  const seen = [];
  await sql`SELECT a FROM pj ORDER BY a`.cursor(30, (part) => { seen.push(...part.map((r) => r.a)); });
  assert.equal(seen.length, 100);
  const result = await sql.begin(async (t) => {
    await t`DELETE FROM pj WHERE a > 50`;
    await assert.rejects(t.savepoint((s) => s`SELECT 1/0`), (e) => e.code === "22012");
    return t`SELECT count(*)::int AS n FROM pj`;
  });
  assert.equal(result[0].n, 51);
  await assert.rejects(sql.begin(async (t) => { await t`DELETE FROM pj`; throw new Error("no"); }), /no/);
  // Sent one after the other without waiting.
  const piped = await Promise.all(Array.from({ length: 60 }, (_, i) => sql`SELECT ${i}::int + 1 AS n`));
  assert.equal(piped.at(-1)[0].n, 60);
  await assert.rejects(sql`INSERT INTO pj (a) VALUES (1)`, (e) => e.code === "23505" && e.constraint_name === "pj_pkey");
  const { Readable } = await import("node:stream");
  const { pipeline } = await import("node:stream/promises");
  const writable = await sql`COPY pj (a, b) FROM STDIN`.writable();
  await pipeline(Readable.from(["1000\tx\n", "1001\t\\N\n"]), writable);
  let out = "";
  for await (const part of await sql`COPY (SELECT a, b FROM pj WHERE a >= 1000 ORDER BY a) TO STDOUT`.readable()) out += part;
  assert.equal(out, "1000\tx\n1001\t\\N\n");
  const described = await sql`SELECT a, b FROM pj WHERE a = ${1}`.describe();
  assert.deepEqual(described.columns.map((c) => c.type), [23, 25]);
  assert.equal((await sql.unsafe("SELECT 1 AS x; SELECT 2 AS y")).length, 2);
  // Row by row, and a cursor that is given up half-way.
  let sum = 0;
  await sql`SELECT i FROM generate_series(1, 1000) AS i`.forEach((row) => { sum += row.i; });
  assert.equal(sum, 500500);
  const portions = [];
  for await (const rows of sql`SELECT i FROM generate_series(1, 100000) AS i`.cursor(500)) if (portions.push(rows.length) === 3) break;
  assert.deepEqual(portions, [500, 500, 500]);
  const heard = [];
  const { unlisten } = await sql.listen("pj", (payload) => heard.push(payload));
  await sql.notify("pj", "first");
  await sql.begin(async (t) => { await t.notify("pj", "second"); });
  await untilIt(() => heard.length >= 2);
  assert.deepEqual(heard, ["first", "second"]);
  await unlisten();
  const slow = sql`SELECT pg_sleep(60)`.execute();
  setTimeout(() => slow.cancel(), 200);
  await assert.rejects(slow, (e) => e.code === "57014");
  const reserved = await sql.reserve();
  await reserved`SET application_name = 'reserved'`;
  assert.equal((await reserved`SHOW application_name`)[0].application_name, "reserved");
  reserved.release();
  await sql.end();
}

async function withDrizzle() {
  const { pgTable, serial, text, integer, jsonb, timestamp, numeric, pgEnum, index } = core;
  const { eq, sql, desc, count, inArray, relations } = orm;
  const pool = new pg.Pool({ ...config, max: 2 });
  const mood = pgEnum("mood", ["sad", "ok"]);
  const users = pgTable("users", { id: serial("id").primaryKey(), name: text("name").notNull().unique(), mood: mood("mood").default("ok"), extra: jsonb("extra"), made: timestamp("made", { withTimezone: true }).defaultNow(), pay: numeric("pay", { precision: 8, scale: 2 }) });
  const posts = pgTable("posts", { id: serial("id").primaryKey(), owner: integer("owner").references(() => users.id, { onDelete: "cascade" }), title: text("title") });
  const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
  const postsRelations = relations(posts, ({ one }) => ({ user: one(users, { fields: [posts.owner], references: [users.id] }) }));
  const db = drizzle(pool, { schema: { users, posts, usersRelations, postsRelations } });
  await db.execute(sql`CREATE TYPE mood AS ENUM ('sad', 'ok')`);
  await db.execute(sql`CREATE TABLE "users" ("id" serial PRIMARY KEY NOT NULL, "name" text NOT NULL, "mood" "mood" DEFAULT 'ok', "extra" jsonb, "made" timestamp with time zone DEFAULT now(), "pay" numeric(8, 2), CONSTRAINT "users_name_unique" UNIQUE("name"))`);
  await db.execute(sql`CREATE TABLE IF NOT EXISTS "posts" ("id" serial PRIMARY KEY NOT NULL, "owner" integer, "title" text)`);
  await db.execute(sql`ALTER TABLE "posts" ADD CONSTRAINT "posts_owner_users_id_fk" FOREIGN KEY ("owner") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action`);
  const made = await db.insert(users).values([{ name: "ann", extra: { a: 1 }, pay: "10.50" }, { name: "bob", mood: "sad" }]).returning();
  assert.deepEqual(made.map((u) => [u.id, u.mood, u.pay]), [[1, "ok", "10.50"], [2, "sad", null]]);
  await db.insert(posts).values([{ owner: 1, title: "one" }, { owner: 1, title: "two" }, { owner: 2, title: "three" }]);
  const joined = await db.select({ name: users.name, n: count(posts.id) }).from(users).leftJoin(posts, eq(posts.owner, users.id)).groupBy(users.name).orderBy(desc(count(posts.id)));
  assert.deepEqual(joined, [{ name: "ann", n: 2 }, { name: "bob", n: 1 }]);
  // Relations are queried by lateral joins and json aggregates.
  const nested = await db.query.users.findMany({ with: { posts: { orderBy: (p, { asc }) => asc(p.id) } }, orderBy: (u, { asc }) => asc(u.id) });
  assert.deepEqual(nested.map((u) => u.posts.map((p) => p.title)), [["one", "two"], ["three"]]);
  assert.equal((await db.query.posts.findFirst({ with: { user: true } })).user.name, "ann");
  await db.insert(users).values({ name: "ann" }).onConflictDoUpdate({ target: users.name, set: { pay: "99" } });
  assert.equal((await db.select().from(users).where(inArray(users.name, ["ann"])))[0].pay, "99.00");
  await assert.rejects(db.transaction(async (t) => { await t.delete(users); throw new Error("no"); }), /no/);
  await db.transaction(async (t) => { await t.update(users).set({ mood: "sad" }).where(eq(users.id, 1)); }, { isolationLevel: "repeatable read", accessMode: "read write", deferrable: true });
  const prepared = db.select().from(users).where(eq(users.id, sql.placeholder("id"))).prepare("one_user");
  for (const id of [1, 2, 1]) assert.equal((await prepared.execute({ id }))[0].id, id);
  assert.equal((await db.delete(users).where(eq(users.id, 1)).returning({ id: users.id }))[0].id, 1);
  assert.equal((await db.select().from(posts)).length, 1);
  await pool.end();
}

await withNodePostgres();
await withNotificationsAndCursors();
await withPostgresJs();
await withDrizzle();
console.log("pg, postgres, drizzle-orm", process.version);
