#!/usr/bin/env python3
"""A second reader of bundles, written from src/record/FORMATS.md alone (sections are named below).

    reader.py bundle FOLDER [VKEY]    checks a bundle; prints one JSON summary; exit 1 and one line if it does not hold
    reader.py commit FILE             takes one commit object apart; prints its numbers, edge and root

Standard library only; signatures are left to `openssl`. It judges nothing and re-performs nothing.
"""
import base64, hashlib, json, os, re, subprocess, sys, tempfile

FIELDS = {  # section 11 to 13; `?` may be absent, `!` a flag that is there only if true
    "genesis": "origin vkey estate shards formats previous? tsa witness_policy",
    "start": "agent version build? judge tzdb memory config? clock?",
    "stop": "reason clean",
    "config": "name why digest approved_by? before?",
    "policy": "id digest params controls populations reads_time empty severity removed!",
    "collector": "id digest source yields removed!",
    "schedule": "id collector cron zone jitter_s grace_s max_gap_s missed removed!",
    "slots": "from to tzdb due late!",
    "hook": "source events collectors refused",
    "run": "schedule? due? trigger started ended as_of late_ms attempt collector source result why exchanges receipts "
           "skew_ms? requests bytes privileges windows channel populations packs",
    "verdict": "run now same? list? part!",
    "gap": "schedule due cause",
    "drift": "control policy item? from to observed_from observed_to verdict fails_n",
    "alert": "id route payload",
    "notice": "alert attempt at status code",
    "period.open": "id framework zone from to restated previous?",
    "period.close": "id at",
    "posture": "backend create_only reads_back checksum retention",
    "export": "digest from to period? number recipient?",
    "heartbeat": "last_size",
    "/table": "n root epoch base? put del",
    "/population": "name type table membership why grade horizon proofs items_unknown source_total? in_scope excluded window?",
    "/policy": "policy digest params inputs judged why n passed failed unknown not_applicable not_due root results? flips",
}
STATES = {1: "passed", 2: "failed", 3: "unknown", 4: "not_applicable", 5: "not_due"}
CODES = re.compile(rb"[a-z0-9_.]{1,64}(,[a-z0-9_.]{1,64})*")


class Broken(Exception):
    """The first thing that does not hold."""


def need(holds, *what):
    if not holds:
        raise Broken(" ".join(map(str, what)))


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:  # section 2
    def __init__(self, size=0, edge=()):
        self.size, self.edge = size, list(edge)

    def push(self, leaf):
        n, self.size = self.size, self.size + 1
        while n & 1:
            leaf, n = sha(b"\1", self.edge.pop(), leaf), n >> 1
        self.edge.append(leaf)

    def root(self):
        if not self.edge:
            return sha()
        folded = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            folded = sha(b"\1", left, folded)
        return folded


def root_of(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.push(leaf)
    return tree.root()


class Bytes:  # reads a binary form from its front
    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def take(self, n):
        need(self.at + n <= len(self.data), self.what, "is cut short")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def more(self):
        return self.at < len(self.data)

    def end(self):
        need(not self.more(), self.what, "has bytes left over")


def framed(data, what):  # (u16 length || bytes)*
    read, out = Bytes(data, what), []
    while read.more():
        out.append(read.take(read.number(2)))
    return out


def spell(value, depth=0):  # section 1: the one way to write it
    need(depth <= 64 and value is not None, "nested too deep, or null")
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(spell(name) + ":" + spell(value[name], depth + 1) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(spell(v, depth + 1) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def parse(data, what):
    def pairs(members):
        need(len({name for name, _ in members}) == len(members), what, "repeats a key")
        return dict(members)

    def whole(text):
        need(abs(int(text)) <= 2 ** 53 and text != "-0", what, "holds an integer beyond 2^53")
        return int(text)

    def never(text):
        raise Broken(f"{what} holds the number {text}")

    try:
        value = json.loads(data.decode(), object_pairs_hook=pairs, parse_int=whole, parse_float=never, parse_constant=never)
        spelt = spell(value).encode()
    except ValueError as error:
        raise Broken(f"{what} is not JSON: {error}") from error
    need(spelt == data, what, "is not canonical")
    return value


def shaped(body, kind, what):
    need(isinstance(body, dict), what, "is no object")
    names = FIELDS[kind].split()
    need(set(body) <= {name.rstrip("?!") for name in names}, what, "has an unknown field")
    need({name for name in names if name[-1] not in "?!"} <= set(body), what, "lacks a field")
    need(all(body.get(name[:-1], True) is True for name in names if name[-1] == "!"), what, "has a flag that is not true")


def entry(data, seq):  # section 11
    what = f"entry {seq}"
    need(len(data) <= 65535, what, "is too long")
    read = parse(data, what)
    need(sorted(read) == ["body", "by", "kind", "seq", "t", "v"] and isinstance(read["body"], dict), what, "has other fields")
    if read["v"] == 1 and read["kind"] in FIELDS:
        shaped(read["body"], read["kind"], what)
    need(read["seq"] == seq, what, "has another seq")
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read["t"]), what, "has no instant")
    return read


def checkpoint(note):  # section 3
    text, split, lines = note.decode().rpartition("\n\n")
    need(split and lines.endswith("\n") and text.count("\n") == 2, "a checkpoint is not three lines and signatures")
    origin, size, root = text.split("\n")
    need(re.fullmatch("0|[1-9][0-9]*", size), "a checkpoint's size is misspelt")
    return origin, int(size), base64.b64decode(root, validate=True), text + "\n", lines.splitlines()


def signed(note, vkey):  # section 3
    name, key_id, typed = vkey.split("+", 2)
    typed = base64.b64decode(typed, validate=True)
    need(len(typed) == 33 and typed[0] == 1 and sha(name.encode(), b"\n", typed)[:4].hex() == key_id, "the vkey is misspelt")
    origin, _, _, text, lines = checkpoint(note)
    signatures = [base64.b64decode(line.split(" ")[2], validate=True) for line in lines if line.startswith(f"\u2014 {name} ")]
    signatures = [signature[4:] for signature in signatures if signature[:4].hex() == key_id]
    need(origin == name and signatures, "the closing checkpoint is not signed by", vkey)
    pem = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + typed[1:]).decode()
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        open(at("pem"), "w").write(f"-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n")
        open(at("text"), "wb").write(text.encode())
        for signature in signatures:
            open(at("sig"), "wb").write(signature)
            asked = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", at("pem"), "-rawin", "-in", at("text"), "-sigfile", at("sig")]
            need(subprocess.run(asked, capture_output=True).returncode == 0, "a signature of the closing checkpoint does not verify")


class Bundle:  # sections 16 and 17
    def __init__(self, folder):
        self.folder, self.files, self.roots, self.withheld, self.checked = folder, {}, {}, 0, 0
        for at, folders, names in os.walk(folder):
            for name in folders + names:
                need(not os.path.islink(os.path.join(at, name)), "a symbolic link:", name)
            for name in names:
                path = os.path.join(at, name)
                self.files[os.path.relpath(path, folder).replace(os.sep, "/")] = open(path, "rb").read()

    def get(self, path):
        need(path in self.files, path, "is missing")
        return self.files[path]

    def manifests(self):
        payload = {path for path in self.files if path.startswith("data/")}
        tags = set(self.files) - payload - {"tagmanifest-sha256.txt"}
        for name, listed in (("manifest-sha256.txt", payload), ("tagmanifest-sha256.txt", tags)):
            lines = dict(reversed(line.split("  ", 1)) for line in self.get(name).decode().splitlines())
            need(set(lines) == listed, name, "lists other files than there are:", *sorted(set(lines) ^ listed)[:3])
            for path, digest in lines.items():
                need(sha(self.files[path]).hex() == digest, path, "is not what its manifest says")

    def log(self, vkey):
        closing = self.get("data/log/checkpoint")
        self.origin, self.size, _, _, _ = checkpoint(closing)
        leaves, self.lines = [], []
        while len(self.lines) < self.size:
            width = min(256, self.size - len(self.lines))
            found = framed(self.get(tile("entries", len(self.lines) // 256, width)), "a bundle of entries")
            need(len(found) == width, "a bundle of entries holds", len(found), "of", width)
            self.lines += found
        self.entries = [entry(line, seq) for seq, line in enumerate(self.lines)]
        hashes = leaves = [sha(b"\0", line) for line in self.lines]
        level = 0
        while hashes:
            for n in range(0, len(hashes), 256):
                part = hashes[n:n + 256]
                need(self.get(tile(level, n // 256, len(part))) == b"".join(part), "tile", level, n // 256, "is not that of the entries")
            hashes = [root_of(hashes[n:n + 256]) for n in range(0, len(hashes) - len(hashes) % 256, 256)]
            level += 1
        notes, tree, self.heads = framed(self.get("data/log/checkpoints"), "the list of checkpoints"), Tree(), []
        for note in notes:
            origin, size, root, _, _ = checkpoint(note)
            need(origin == self.origin and tree.size < size <= self.size, "a checkpoint is out of order")
            for leaf in leaves[tree.size:size]:
                tree.push(leaf)
            need(tree.root() == root, "the checkpoint of size", size, "has another root")
            self.heads.append([size, root.hex()])
        need(notes and notes[-1] == closing and tree.size == self.size, "the last checkpoint is not the closing one")
        signed(closing, vkey)

    def order(self, vkey):
        before = ""
        for e in self.entries:
            seq, by = e["seq"], e["by"]
            need((e["kind"] == "genesis") == (seq == 0), "entry", seq, "is a genesis, or entry 0 is none")
            need(seq == 0 == by or by <= seq and self.entries[by]["kind"] == "start", "entry", seq, "has no writer")
            need(e["kind"] != "start" or by == seq, "entry", seq, "starts for another")
            need(e["t"] >= before, "entry", seq, "is older than the entry before it")
            before = e["t"]
        genesis = self.entries[0]["body"]
        need(genesis["origin"] == self.origin and genesis["formats"] == 1, "the genesis is of another log")
        need(self.get("data/log/vkey").decode() == genesis["vkey"] + "\n" and vkey == genesis["vkey"], "the key is not the genesis key")

    def kind(self, *kinds):
        return [(e["seq"], e["body"]) for e in self.entries if e["kind"] in kinds and e["v"] == 1]

    def named(self, path, digest, what):  # a file by its digest, which may be withheld
        if path not in self.files:
            self.withheld += 1
            return
        need("sha256:" + sha(self.files[path]).hex() == digest, what, "is not what names it")
        self.checked += 1

    def salted(self, items, rows, path, what):  # section 9
        salts = Bytes(self.get(path), path)
        leaves = {item: sha(b"\0", salts.take(16), item, row) for item, row in zip(items, rows)}
        salts.end()
        need(len(leaves) == len(items), what, "has salts for other rows")
        return leaves

    def table(self, seq, name, ref, tables):
        what, path = f"table {name} of run {seq}", f"data/runs/{seq:012}/{name}"
        shaped(ref, "/table", what)
        need(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", name), what, "has an illegal name")
        base = ref.get("base")
        need(base is not None or (ref["del"], ref["put"]) == (0, ref["n"]), what, "is no keyframe")
        need(base is None or base < seq and (base, name) in tables, what, "has no base")
        epoch, rows, leaves = tables[base, name] if base is not None else (ref["epoch"], {}, {})
        need(epoch == ref["epoch"], what, "has a base of another epoch")
        rows, leaves = dict(rows), dict(leaves)
        if ref["put"] or ref["del"]:
            read = Bytes(self.get(path + ".table"), path + ".table")
            need(read.take(8) == b"OBSTBL01", what, "has an unknown magic")
            put = [(read.take(16), read.take(read.number(4))) for _ in range(read.number(8))]
            gone = [read.take(16) for _ in range(read.number(8))]
            read.end()
            items = [item for item, _ in put]
            need((len(items), len(gone)) == (ref["put"], ref["del"]), what, "has another change")
            need(all(a < b for part in (items, gone) for a, b in zip(part, part[1:])), what, "is out of order")
            need(not set(items) & set(gone) and set(gone) <= set(rows), what, "deletes what is not there")
            for item in gone:
                del rows[item], leaves[item]
            rows.update(put)
            leaves.update(self.salted(items, [row for _, row in put], path + ".salts", what))
        else:
            need(path + ".table" not in self.files, what, "stores an empty change")
        need(len(rows) == ref["n"] and root_of(leaves[i] for i in sorted(leaves)).hex() == ref["root"], what, "has another root")
        tables[seq, name] = ref["epoch"], rows, leaves
        self.roots[f"{seq}/{name}"] = ref["root"]
        return rows

    def run(self, seq, body, tables):  # section 12
        need(body["as_of"] == body["started"] <= body["ended"], "run", seq, "ends before it starts")
        need(("schedule" in body) == ("due" in body) == (body["trigger"] != "manual"), "run", seq, "answers half a slot")
        rows = self.table(seq, "exchange", body["exchanges"]["table"], tables)
        for row in rows.values():
            body_of = json.loads(row).get("artefact")
            if body_of:
                digest = body_of["sha256"].removeprefix("sha256:")
                self.named(f"data/artefacts/{digest[:2]}/{digest}", body_of["sha256"], "an artefact of run " + str(seq))
        for population in body["populations"]:
            shaped(population, "/population", f"a population of run {seq}")
            self.table(seq, population["name"], population["table"], tables)
            need(population["in_scope"] == population["table"]["n"], "run", seq, "counts other rows than it has")
        ref, path = body["receipts"], f"data/runs/{seq:012}/receipts"
        lines = self.get(path + ".jsonl").split(b"\n") if ref["n"] else [b""]
        need(lines.pop() == b"" and len(lines) == ref["n"], "run", seq, "has other receipts")
        if not lines:
            need(ref["root"] == sha().hex(), "run", seq, "has no receipts, and yet a root")
            return
        leaves = self.salted([i.to_bytes(16, "big") for i in range(len(lines))], lines, path + ".salts", f"receipts of run {seq}")
        need(root_of(leaves.values()).hex() == ref["root"], "receipts of run", seq, "have another root")
        self.roots[f"{seq}/receipt"] = ref["root"]

    def column(self, seq, own, said, tables, runs):  # section 14
        what = f"verdict {seq} of {said['policy']}"
        shaped(said, "/policy", what)
        for seen in said["inputs"]:
            at = seen.get("run", own)
            roots = [p["table"]["root"] for p in runs[at]["populations"] if p["name"] == seen["name"]]
            need(at <= own and roots == [seen["root"]], what, "judges what nobody saw")
        if said["judged"] == "none":
            counts = [said[name] for name in ("n", *STATES.values())]
            need(not any(counts) and said["root"] == sha().hex() and "results" not in said, what, "did not run, and yet has results")
            return
        need(said["judged"] == "all" and "run" not in said["inputs"][0], what, "judges nothing of its run")
        held = self.entries[said.get("results", seq)]
        need(held["seq"] <= seq and held["kind"] == "verdict", what, "has its column nowhere")
        path = f"data/runs/{held['body']['run']:012}/{said['policy']}.results"
        read = Bytes(self.get(path), path)
        need(read.take(8) == b"OBSRES01", what, "has an unknown magic")
        items = sorted(tables[own, said["inputs"][0]["name"]][1])
        need(read.number(8) == len(items) == said["n"], what, "judges another number of rows")
        leaves, counted = [], dict.fromkeys(STATES.values(), 0)
        for item, state in zip(items, read.take(len(items))):
            codes = b"" if state == 1 else read.take(read.number(2))
            need(state in STATES and (state == 1 or CODES.fullmatch(codes)), what, "has an illegal result")
            parts = codes.split(b",")
            need(parts == sorted(set(parts)), what, "has codes out of order")
            leaves.append(sha(b"\0", item, bytes([state]), codes))
            counted[STATES[state]] += 1
        read.end()
        need(root_of(leaves).hex() == said["root"] and counted.items() <= said.items(), what, "has another root or other counts")
        self.roots[f"{seq}/{said['policy']}"] = said["root"]

    def verdict(self, seq, body, tables, runs):  # section 13
        need(body["run"] < seq and body["run"] in runs and body["now"] == runs[body["run"]]["as_of"], "verdict", seq, "is of no run")
        need(("same" in body) != ("list" in body), "verdict", seq, "has both or none of list and same")
        if "list" in body:
            for said in body["list"]:
                self.column(seq, body["run"], said, tables, runs)
            return
        earlier = self.entries[body["same"]]
        need(earlier["seq"] < seq and earlier["kind"] == "verdict" and "list" in earlier["body"], "verdict", seq, "repeats nothing")
        now = {p["name"]: p["table"]["root"] for p in runs[body["run"]]["populations"]}
        for seen in (seen for said in earlier["body"]["list"] for seen in said["inputs"] if "run" not in seen):
            need(now.get(seen["name"]) == seen["root"], "verdict", seq, "repeats one of other rows")

    def check(self, vkey):
        self.manifests()
        self.log(vkey)
        self.order(vkey)
        tables, runs = {}, dict(self.kind("run"))
        for seq, body in self.kind("run"):
            self.run(seq, body, tables)
        for seq, body in self.kind("verdict"):
            self.verdict(seq, body, tables, runs)
        for seq, body in self.kind("config", "alert"):
            sealed, path = body.get("digest") or body.get("payload"), f"data/sealed/{seq:012}/"
            if path + "row" not in self.files:
                self.withheld += 1
                continue
            leaves = self.salted([bytes(16)], [self.get(path + "row")], path + "salt", f"entry {seq}")
            need(root_of(leaves.values()).hex() == sealed["root"], "entry", seq, "seals another row")
            self.roots[f"{seq}/{self.entries[seq]['kind']}"] = sealed["root"]
        for seq, body in self.kind("policy"):
            digest = body["digest"].removeprefix("sha256:")
            self.named(f"data/policies/{digest}/meta.json", body["digest"], f"policy {seq}")
            for path, file in parse(self.files.get(f"data/policies/{digest}/meta.json", b"{}"), "a policy").get("files", {}).items():
                self.named(f"data/policies/{digest}/{path}", file, path)
            self.named(f"data/params/{body['params'].removeprefix('sha256:')}.json", body["params"], f"parameters {seq}")
        for seq, body in self.kind("collector"):
            self.named(f"data/collectors/{body['digest'].removeprefix('sha256:')}.yaml", body["digest"], f"collector {seq}")
        unknown = [e["kind"] for e in self.entries if not (e["v"] == 1 and e["kind"] in FIELDS or e["kind"].startswith("x."))]
        return {"origin": self.origin, "entries": self.size, "checkpoints": self.heads, "roots": self.roots,
                "files_checked": self.checked, "withheld": self.withheld, "not_understood": unknown}


def tile(level, n, width):  # section 4
    groups = [f"{n % 1000:03}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03}")
    return f"data/log/tile/{level}/" + "/".join(groups) + (f".p/{width}" if width < 256 else "")


def commit(data):  # section 5
    read = Bytes(data, "the commit")
    need(read.take(8) == b"OBSCMT01", "unknown magic")
    ordinal, size = read.number(8), read.number(8)
    count, entries, note, packs = (read.number(4) for _ in range(4))
    edge = [read.take(32) for _ in range(size.bit_count())]
    tree = Tree(size, edge)
    lines = framed(read.take(entries), "the entries")
    need(len(lines) == count and 1 <= count <= 256 and packs <= 16, "the commit has other counts")
    for seq, line in enumerate(lines, size):
        entry(line, seq)
        tree.push(sha(b"\0", line))
    _, after, root, _, _ = checkpoint(read.take(note))
    riding = [read.take(read.number(4)) for _ in range(packs)]
    read.end()
    need((after, root) == (tree.size, tree.root()), "the commit signs another head")
    return {"ordinal": ordinal, "before": size, "size": tree.size, "root": root.hex(), "edge": [h.hex() for h in edge],
            "entries": [sha(line).hex() for line in lines], "packs": [sha(pack).hex() for pack in riding]}


def main(what, path, vkey=None):
    if what == "commit":
        return commit(open(path, "rb").read())
    bundle = Bundle(path)
    inside = bundle.get("data/log/vkey").decode().strip()
    return bundle.check(vkey or inside) | {"key": "given" if vkey else "from inside the bundle"}


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except (Broken, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        sys.exit(f"does not hold: {type(error).__name__}: {error}")
