#!/usr/bin/env python3
"""Records what a real PostgreSQL's parser says to each line of testdata/*.sql, into *.out beside it.

usage: record.py [socket-dir] [port]        (default /tmp 5518)

One case a line; the sign U+23CE stands for a newline; lines that start with '#!' are remarks.
Each case is sent inside a failed transaction: PostgreSQL parses it, then refuses to run it (25P02), so nothing is
executed or even analysed, and whatever else is answered is the parser's own error. Files *.run.sql are run, then
rolled back: for errors that PostgreSQL finds in analysis and we find in parsing.
"""
import glob, os, socket, struct, sys

HOST = sys.argv[1] if len(sys.argv) > 1 else "/tmp"
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 5518


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(f"{HOST}/.s.PGSQL.{PORT}")
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0client_encoding\0UTF8\0\0"
    s.sendall(struct.pack("!i", len(body) + 4) + body)
    f = s.makefile("rb")
    wait(f)
    return s, f


def wait(f):
    """Messages up to ReadyForQuery: the fields of the error, if there was one."""
    error = None
    while True:
        kind = f.read(1)
        if not kind:
            raise SystemExit("connection lost")
        body = f.read(struct.unpack("!i", f.read(4))[0] - 4)
        if kind == b"E" and error is None:
            error = {p[:1].decode(): p[1:].decode() for p in body.split(b"\0") if p}
        if kind == b"Z":
            return error
        if kind == b"G":
            raise SystemExit("a COPY was executed")


def query(s, f, sql):
    body = sql.encode() + b"\0"
    s.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
    return wait(f)


def main():
    s, f = connect()
    here = os.path.dirname(os.path.abspath(__file__))
    for path in sorted(glob.glob(here + "/*.sql")):
        out = []
        for line in open(path, encoding="utf8").read().split("\n"):
            if not line or line.startswith("#!"):
                continue
            query(s, f, "rollback")
            query(s, f, "begin")
            if not path.endswith(".run.sql"):
                query(s, f, "select 1/0")
            e = query(s, f, line.replace("\u23ce", "\n"))
            if e is None or e["C"] in ("25P02", "3B001"):
                out.append("ok")
                continue
            text = f"{e['C']} {e.get('P', '-')} {e['M']}"
            for key, name in (("D", "detail"), ("H", "hint")):
                if key in e:
                    text += f" | {name}: {e[key]}"
            out.append(text.replace("\n", "\u23ce"))
        open(path[:-4] + ".out", "w", encoding="utf8").write("".join(o + "\n" for o in out))
        print(os.path.basename(path), len(out))


main()


def shapes():
    """How PostgreSQL reads each expression of shapes.txt, as its view deparser writes it with every parenthesis."""
    s, f = connect()
    here = os.path.dirname(os.path.abspath(__file__))

    def rows(sql):
        body = sql.encode() + b"\0"
        s.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        out, error = None, None
        while True:
            kind = f.read(1)
            body = f.read(struct.unpack("!i", f.read(4))[0] - 4)
            if kind == b"D":
                out = body[6:].decode()
            if kind == b"E":
                error = body
            if kind == b"Z":
                if error:
                    raise SystemExit(f"{sql}: {error}")
                return out

    rows("begin")
    rows("create temp table t (a int, b int, c int, p bool, q bool, r bool, s text, u text, v text, d float8, e float8, f float8)")
    out = []
    for line in open(here + "/shapes.txt"):
        rows(f"create temp view w as select {line.strip()} as x from t")
        d = rows("select pg_get_viewdef('w')")
        rows("drop view w")
        out.append(d[d.index("SELECT ") + 7 : d.index(" AS x")].replace("\n", " "))
    open(here + "/shapes.out", "w").write("".join(o + "\n" for o in out))
    print("shapes", len(out))


shapes()
