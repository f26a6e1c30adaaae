"""gpu_report.py - kernels/REPORT.md: a section for each stage of tools/gpu_check, between markers.

    gpu_report.py curve RUN > CSV                    losses of a run, means of 500 steps, and its scores
    gpu_report.py record < LINES                     of gnomon bench
    gpu_report.py STAGE STATE FACTS                  the section of a stage from what STATE/STAGE.jsonl holds
"""
import collections, json, math, pathlib, statistics, sys

REPORT = pathlib.Path(__file__).resolve().parent.parent / "kernels" / "REPORT.md"
ORDER = ("parity", "sanitize", "train", "bench", "peers", "estimates")
HEAD = """# What the kernels do on a GPU

Each section is written by a stage of `tools/gpu_check` on a machine that has one; estimates by `tools/kernel_estimate`.
What has no section was not measured.
"""


def write(stage, title, text):
    """The section of one stage; the others stay."""
    old = REPORT.read_text() if REPORT.exists() else HEAD
    head, parts = old.split("<!-- ")[0], {}
    for part in old.split("<!-- begin ")[1:]:
        name, rest = part.split(" -->\n", 1)
        parts[name] = rest.split(f"<!-- end {name} -->")[0]
    parts[stage] = f"## {title}\n\n{text.strip()}\n"
    marked = [f"<!-- begin {n} -->\n{parts[n]}<!-- end {n} -->\n" for n in ORDER if n in parts]
    REPORT.write_text("\n".join([head.rstrip() + "\n", *marked]))


# --- a run's curve ---

EVERY = 500
SCORES = ("pckh", "mpjpe_mm", "canonical_mpjpe_mm", "own2d_mpjpe_mm", "depth_mm", "depth_order")


def records(path):
    return [json.loads(line) for line in open(path)]


def curve(run):
    """What, step, name, value."""
    sums = collections.defaultdict(list)
    run = pathlib.Path(run)
    for r in records(run / "metrics.jsonl"):
        if r["kind"] == "step":
            for name, value in r["losses"].items():
                sums[-(-r["step"] // EVERY) * EVERY, name].append(float(value))
    rows = [("loss", step, name, statistics.mean(v)) for (step, name), v in sorted(sums.items())]
    last = max((row[1] for row in rows), default=0)
    for path in sorted((run / "eval").glob("*.json")):
        said = json.loads(path.read_text())
        rows += [("score", last, f"{said['set']}.{name}", m["value"]) for name, m in said["metrics"].items()]
    return rows


def curve_of_csv(path):
    rows = [line.strip().split(",") for line in open(path)][1:]
    return [(what, int(step), name, float(value)) for what, step, name, value in rows]


def finals(rows):
    """Losses of the last 500 steps, by name."""
    last = max((r[1] for r in rows if r[0] == "loss"), default=0)
    return {r[2]: r[3] for r in rows if r[0] == "loss" and r[1] == last}


# --- sections ---


def table(head, rows):
    lines = ["| " + " | ".join(map(str, r)) + " |" for r in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def parity(found, state):
    word = {0: "agrees", 77: "skipped"}
    rows = [(r["unit"], word.get(r["rc"], f"**FAILS**, exit {r['rc']}"), r["s"], r["said"]) for r in found]
    said = "Float to 1e-5, bf16 to 1e-2 of a tensor's largest magnitude.\n\n"
    return "Parity with the CPU", said + table(("test", "", "s", "says"), rows)


def sanitize(found, state):
    word = {"clean": "0 reports", "found": "**REPORTS**", "refused": "skipped: the tool refused", "cut": "skipped: cut, too slow"}
    rows = [(*r["unit"].split(" "), word[r["verdict"]], r["s"], r["said"]) for r in found]
    return "Sanitizers", table(("tool", "test", "", "s", "says"), rows)


def first_steps(found):
    """The largest relative distance of the first 20 losses of two short runs."""
    short = {r["unit"]: r["losses"] for r in found if r["unit"].startswith("short ")}
    if len(short) < 2:
        return None
    a, b = short["short cpu"], short["short cuda"]
    return max((abs(x - y) / abs(x) for x, y in zip(a, b)), default=math.inf) if len(a) == len(b) == 20 else math.inf


def judged(found, cpu, runs):
    """A line for each promise that there is enough to judge."""
    off = first_steps(found)
    if off is not None:
        kept = "kept" if off <= 1e-3 else "NOT KEPT"
        yield f"First 20 steps in float, CPU and GPU on this machine: off by {off:.1e} at most; asked: 1e-3: **{kept}**."
    seeds = [finals(c) for u, c in runs.items() if u.startswith("float ")]
    if len(seeds) < 5:
        return
    for name, mine in sorted(finals(cpu).items()):
        least, most = min(s[name] for s in seeds), max(s[name] for s in seeds)
        for who, value in [("the CPU's", mine)] + [("bf16's", finals(c)[name]) for u, c in runs.items() if u.startswith("bf16 ")]:
            inside = "within" if least <= value <= most else "NOT WITHIN"
            yield f"Last 500 steps, {name}: {who} {value:.4g}, five seeds on the GPU {least:.4g} to {most:.4g}: **{inside}**."


def train(found, state):
    cpu = curve_of_csv(REPORT.parent.parent / "experiments/zhou2017/small.cpu.csv")
    units = [r["unit"] for r in found if not r["unit"].startswith("short ")]
    runs = {u: curve_of_csv(pathlib.Path(state) / f"{u.replace(' ', '-')}.csv") for u in units}
    shown = {"CPU": cpu, **{f"GPU {u.split()[0]}": c for u, c in runs.items() if u in ("float 1", "bf16 1")}}
    value = {(who, *r[:3]): r[3] for who, rows in shown.items() for r in rows}
    number = lambda *key: f"{value[key]:.4g}" if key in value else ""

    names = sorted({r[2] for r in cpu if r[0] == "loss"})
    steps = sorted({r[1] for r in cpu if r[0] == "loss"})
    rows = [(s, *(number(w, "loss", s, n) for n in names for w in shown)) for s in steps if s % (4 * EVERY) == 0 or s == steps[-1]]
    losses = table(("step", *(f"{n}, {w}" for n in names for w in shown)), rows)
    scores = sorted({r[2] for r in cpu if r[0] == "score" and r[2].split(".")[1] in SCORES})
    rows = [(n, *(number(w, "score", steps[-1], n) for w in shown)) for n in scores]
    said = "\n".join(f"- {line}" for line in judged(found, cpu, runs))
    return "Training: zhou2017/small", "\n\n".join([said, losses, table(("score", *shown), rows)])


def medians(found):
    by = collections.defaultdict(list)
    for r in found:
        by[r["unit"]].append({k: v for k, v in r["record"].items() if isinstance(v, (int, float))})
    return {u: {k: statistics.median(r[k] for r in rs) for k in rs[0]} for u, rs in by.items()}


def bench(found, state):
    rows = []
    for unit, m in medians(found).items():
        batch, step = int(unit.split("batch=")[1].split()[0]), m["step_s"]
        rows.append((unit, f"{1e3 * step:.2f}", f"{batch / step:.0f}", f"{m['floor_s'] / step:.2f}", f"{m.get('device_mb', 0):.0f}"))
    return "Speed", "Medians. The floor is by what this machine multiplies and copies at most.\n\n" + table(
        ("gnomon bench", "ms", "samples/s", "floor/time", "MB on the GPU"), rows)


def peers(found, state):
    m, rows = medians(found), []
    for unit, said in m.items():
        who, batch = unit.split(" ", 1)
        ours, step = m.get(f"gnomon {batch}", {}).get("step_s"), said["step_s"]
        rows.append((batch, who, f"{1e3 * step:.2f}", f"{int(batch.split()[0]) / step:.0f}", f"{step / ours:.2f}" if ours else ""))
    rows.sort(key=lambda r: (int(r[0].split()[0]), r[1] != "gnomon"))
    said = "The same network and step; rounds in turn, medians of up to 3; PyTorch channels_last, under autocast.\n\n"
    return "Beside PyTorch", said + table(("batch", "who", "ms", "images/s", "times ours"), rows)


def record(text):
    """What `gnomon bench` says to people, as a record; a record stays as it is."""
    lines = text.strip().splitlines()
    if lines and lines[-1].startswith("{"):
        return json.loads(lines[-1])
    name = {"step": ("step_s", 1e-3), "softargmax": ("step_s", 1e-3), "floor": ("floor_s", 1e-3), "memory": ("device_mb", 1)}
    words = [line.split() for line in lines]
    return {name[w[0]][0]: float(w[1]) * name[w[0]][1] for w in words if len(w) > 2 and w[0] in name}


def main():
    if sys.argv[1] == "record":
        print(json.dumps(record(sys.stdin.read())))
        return
    if sys.argv[1] == "curve":
        print("what,step,name,value")
        for what, step, name, value in curve(sys.argv[2]):
            print(f"{what},{step},{name},{value:.6g}")
        return
    stage, state, facts = sys.argv[1:4]
    found = records(pathlib.Path(state) / f"{stage}.jsonl")
    title, text = {"parity": parity, "sanitize": sanitize, "train": train, "bench": bench, "peers": peers}[stage](found, state)
    write(stage, title, f"{facts}\n\n{text}")


if __name__ == "__main__":
    main()
