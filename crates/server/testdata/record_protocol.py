"""Runs the messages of protocol.txt against a PostgreSQL: python3 record_protocol.py SOCKET_FILE. Rewrites its answers."""
import os
import socket
import struct
import sys

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "protocol.txt")


def text(s):
    return s.encode() + b"\0"


def unescape(s):
    return s.replace("\\t", "\t").replace("\\n", "\n")


def encode(line):
    tag, rest = line[0], line[2:]
    if tag == "Q":
        body = text(rest)
    elif tag == "P":
        name, sql, types = rest.split("|")
        oids = [int(t) for t in types.split(",") if t]
        body = text(name) + text(sql) + struct.pack("!H", len(oids)) + b"".join(struct.pack("!I", o) for o in oids)
    elif tag == "B":
        portal, statement, *values = rest.split("|")
        values = [v.encode() for v in values if v]
        body = text(portal) + text(statement) + struct.pack("!HH", 0, len(values))
        body += b"".join(struct.pack("!I", len(v)) + v for v in values) + struct.pack("!H", 0)
    elif tag in "DC":
        kind, _, name = rest.partition(" ")
        body = kind.encode() + text(name)
    elif tag == "E":
        name, _, count = rest.rpartition(" ")
        body = text(name) + struct.pack("!i", int(count))
    elif tag == "d":
        body = unescape(rest).encode()
    elif tag == "f":
        body = text(rest)
    else:
        body = b""
    return tag.encode() + struct.pack("!I", len(body) + 4) + body


def shown(tag, body):
    parts = body.split(b"\0")
    if tag in "EN":
        fields = {p[:1]: p[1:].decode() for p in parts if p}
        position = f" at {fields[b'P']}" if b"P" in fields else ""
        context = f" ({fields[b'W']})" if b"W" in fields else ""
        return f"{tag} {fields[b'V']} {fields[b'C']} {fields[b'M']}{position}{context}"
    if tag == "T":
        count, at, out = struct.unpack("!H", body[:2])[0], 2, []
        for _ in range(count):
            end = body.index(b"\0", at)
            oid, size, mod, form = struct.unpack("!IhiH", body[end + 7 : end + 19])
            out.append(f"{body[at:end].decode()}:{oid}:{size}:{mod}:{form}")
            at = end + 19
        return "T " + " ".join(out)
    if tag == "D":
        count, at, out = struct.unpack("!H", body[:2])[0], 2, []
        for _ in range(count):
            (n,) = struct.unpack("!i", body[at : at + 4])
            at += 4
            out.append("NULL" if n < 0 else body[at : at + n].decode())
            at += max(n, 0)
        return "D " + "|".join(out)
    if tag == "t":
        count = struct.unpack("!H", body[:2])[0]
        return "t " + " ".join(str(o) for o in struct.unpack(f"!{count}I", body[2:]))
    if tag in "GH":
        return f"{tag} {body[0]} {struct.unpack('!H', body[1:3])[0]}"
    if tag == "d":
        return "d " + body.decode().replace("\t", "\\t").replace("\n", "\\n")
    if tag == "S":
        return "S " + "=".join(p.decode() for p in parts[:2])
    return f"{tag} {parts[0].decode()}".rstrip()


def receive(stream, wait):
    """All messages up to a silence."""
    stream.settimeout(wait)
    data, out = b"", []
    try:
        while True:
            chunk = stream.recv(65536)
            if not chunk:
                out.append("closed")
                break
            data += chunk
    except TimeoutError:
        pass
    lines = []
    while data:
        (n,) = struct.unpack("!I", data[1:5])
        lines.append(shown(chr(data[0]), data[5 : n + 1]))
        data = data[n + 1 :]
    return lines + out


def connect():
    stream = socket.socket(socket.AF_UNIX)
    stream.connect(sys.argv[1])
    body = struct.pack("!I", 196608) + b"user\0postgres\0database\0postgres\0\0"
    stream.sendall(struct.pack("!I", len(body) + 4) + body)
    receive(stream, 0.3)
    return stream


out, stream = [], None
for line in open(path).read().splitlines():
    if line.startswith("="):
        stream = connect()
        out.append(line)
    elif line.startswith(">"):
        stream.sendall(encode(line[2:]))
        out.append(line)
        out.extend("< " + l for l in receive(stream, 0.15))
    elif line.startswith("#"):
        out.append(line)
open(path, "w").write("\n".join(out) + "\n")
