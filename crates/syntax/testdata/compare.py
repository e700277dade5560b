#!/usr/bin/env python3
"""Mutates the statements of testdata/*.sql and compares what a real PostgreSQL says to them with what we say.

usage: cargo build -p syntax --example said && compare.py <path of said> [count] [seed] [socket-dir] [port]
"""
import glob, os, random, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
said, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5000
random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
sys.argv = [sys.argv[0]] + sys.argv[4:6]
source = open(here + "/record.py").read().split("\nmain()\n")[0]
exec(source)

lines = []
for path in sorted(glob.glob(here + "/*.sql")):
    lines += [l for l in open(path, encoding="utf8").read().split("\n") if l and not l.startswith("#!") and "\u23ce" not in l]
import re
split = lambda l: re.findall(r"'[^']*'|\"[^\"]*\"|\w+|\s+|::|[^\w\s]", l)
words = [w for l in lines for w in split(l) if not w.isspace()]
cases = []
while len(cases) < count:
    t = split(random.choice(lines))
    for _ in range(random.choice([1, 1, 2])):
        i = random.randrange(len(t))
        r = random.random()
        if r < 0.35: t[i] = random.choice(words)
        elif r < 0.65: t.insert(i, random.choice(words) + " ")
        elif r < 0.85 and len(t) > 1: del t[i]
        else: t = t[: i + 1]
    c = "".join(t)
    if ";" in c or "\0" in c or not c.strip(): continue
    cases.append(c)
ours = subprocess.run([said], input="\n".join(cases) + "\n", capture_output=True, text=True).stdout.split("\n")
s, f = connect()
wrong = 0
for c, we in zip(cases, ours):
    query(s, f, "rollback"); query(s, f, "begin"); query(s, f, "select 1/0")
    e = query(s, f, c)
    pg = "ok" if e is None or e["C"] in ("25P02", "3B001") else f"{e['C']} {e.get('P', '-')} {e['M']}"
    if pg != we:
        wrong += 1
        print(f"{c}\n    postgres: {pg}\n    we:       {we}")
print(f"{wrong} of {len(cases)} differ")
