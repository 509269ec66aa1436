#!/usr/bin/env python3
"""Exactly once, proved: everything on the way from Kafka to Redshift is killed, at random moments, while the cloud fails
in every way that clouds do; afterwards each event that Kafka acknowledged is in Athena's answer once and in Redshift's
answer once, compared by topic, partition, offset and id.

    torture.py [--kills 100] [--seed N] [--keep] [--seconds N]

    simulate ──▶ broker ──▶ sink [+ a second sink] ──▶ local cloud: S3, Glue, Athena, Redshift
    killed        own        killed --kills times       own process, with faults; killed, too
                  process

What happens is drawn from the seed, which is printed; when a kill meets the program at work is the machine's to say.
Prints TAP and closes with `N passed, N failed`. On failure the folder is kept and named.
"""
import argparse
import collections
import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from aws import Aws, Failed  # noqa: E402

SMARTCITY = os.environ.get("SMARTCITY", "build/smartcity")
BROKER = os.environ.get("TORTURE_BROKER", "build/release/tests/torture/broker")
TOPICS = ("vehicle_data", "gps_data", "traffic_data", "weather_data", "emergency_data")
BUCKET = "smartcity-lake"
PARTITIONS = 4
# The broker keeps 5 MiB a partition: so many simulated seconds fill about a third of it.
SIMULATED_SECONDS = 3000
SIMULATED_VEHICLES = 20

FAULTS = (
    "s3 PutObject throttle probability=0.15",
    "s3 PutObject error=500 probability=0.10",
    "s3 PutObject error=409 probability=0.10",
    "s3 PutObject lost probability=0.20",
    "s3 PutObject slow=150ms probability=0.20",
    "s3 GetObject cut=100 probability=0.10",
    "s3 GetObject error=503 probability=0.10",
    "s3 HeadObject error=503 probability=0.10",
    "s3 ListObjectsV2 cut=200 probability=0.10",
    "s3 ListObjectsV2 throttle probability=0.10",
    "glue * throttle probability=0.10",
    "glue CreatePartition lost probability=0.20",
    "glue BatchCreatePartition lost probability=0.20",
    "glue GetPartition error=500 probability=0.10",
    "athena StartQueryExecution lost probability=0.30",
    "athena StartQueryExecution throttle probability=0.20",
    "athena GetQueryExecution error=500 probability=0.10",
    "redshift-data ExecuteStatement lost probability=0.30",
    "redshift-data BatchExecuteStatement lost probability=0.30",
    "redshift-data BatchExecuteStatement error=500 probability=0.20",
    "redshift-data DescribeStatement throttle probability=0.10",
    "* * slow=80ms probability=0.10",
    "* * error=503 probability=0.03",
    "* * lost probability=0.02",
)


class Stuck(Exception):
    pass


def tell(text):
    print("# " + text, flush=True)


class Torture:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.random = random.Random(options.seed)
        self.counts = collections.Counter()
        self.children = []
        self.broker = self.cloud = self.simulator = None
        self.simulations = 0
        self.cloud_port = 0

    # ---- processes ----

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def environment(self, who):
        places = {name: self.path(who, name.lower()) for name in
                  ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")}
        for place in places.values():
            os.makedirs(place, mode=0o700, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SMARTCITY_DUCKDB", "ASAN_OPTIONS", "LSAN_OPTIONS",
                                                    "UBSAN_OPTIONS") if name in os.environ}
        kept.update(places, HOME=self.path(who), TZ="UTC", LC_ALL="C.UTF-8")
        return kept

    def start(self, who, *words, environment=None, stdin=subprocess.DEVNULL, limit=0):
        def full_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        errors = open(self.path(who + ".log"), "a")
        child = subprocess.Popen(words, env=dict(self.environment(who), **(environment or {})), stdin=stdin,
                                 stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=full_disk if limit else None)
        errors.close()
        self.children.append(child)
        return child

    def line(self, child, who, seconds=30):
        if not select.select([child.stdout], [], [], seconds)[0]:
            raise Stuck("%s says nothing" % who)
        line = child.stdout.readline()
        if not line:
            raise Stuck("%s ended: see %s" % (who, self.path(who + ".log")))
        return line

    def kill(self, child, how=signal.SIGKILL, seconds=120):
        if child.poll() is None:
            child.send_signal(how)
        try:
            said = child.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            raise Stuck("%s did not end within %d s of signal %d" % (" ".join(child.args[:2]), seconds, how))
        self.children.remove(child)
        return said

    def start_broker(self):
        self.broker = self.start("broker", BROKER, str(PARTITIONS), stdin=subprocess.PIPE)
        self.bootstrap = json.loads(self.line(self.broker, "broker"))["bootstrap"]

    def ask_broker(self, command):
        self.broker.stdin.write(command + "\n")
        self.broker.stdin.flush()
        return self.line(self.broker, "broker", 120).strip()

    def start_cloud(self):
        self.cloud = self.start("cloud", SMARTCITY, "cloud", "--port", str(self.cloud_port), "--data", self.path("cloud", "data"),
                                "--faults", "--output", "json")
        address = json.loads(self.line(self.cloud, "cloud"))
        self.aws = Aws(address)
        self.cloud_port = int(address["endpoint"].rsplit(":", 1)[1])
        self.keys = {"AWS_ACCESS_KEY_ID": address["access_key"], "AWS_SECRET_ACCESS_KEY": address["secret_key"],
                     "AWS_REGION": address["region"]}

    def start_simulator(self):
        """Each with a seed of its own: its events have ids that no other's have."""
        self.simulations += 1
        self.simulator = self.start(
            "simulate", SMARTCITY, "simulate", "--bootstrap", self.bootstrap, "--seed", str(1000 + self.simulations),
            "--start", "2026-06-%02dT23:50:00Z" % (1 + self.simulations % 3), "--vehicles", str(SIMULATED_VEHICLES),
            "--speed", str(self.speed), "--camera-interval", "900s", "--for", "24h")

    def start_sink(self, who, *more, limit=0):
        return self.start(who, SMARTCITY, "sink", "--bootstrap", self.bootstrap, "--group", "", "--cloud", "aws", "--endpoint",
                          self.aws.endpoint, "--bucket", BUCKET, "--output", "json", "--no-input", *more,
                          environment=self.keys, limit=limit)

    def command(self, who, sink, *words, wait=True, seconds=120):
        """Given to the running sink, as from a second terminal."""
        done = subprocess.run([SMARTCITY, *words, *(["--wait"] if wait else []), "--console", str(sink.pid), "--output", "json"],
                              env=self.environment(who), capture_output=True, text=True, timeout=seconds)
        return done.returncode, (done.stdout + done.stderr).strip()

    # ---- one life of a sink ----

    def draw_faults(self):
        if self.random.random() < 0.2:
            return []
        return self.random.sample(FAULTS, self.random.randint(1, 6))

    def small(self, automatic):
        words = ["--flush-age", self.random.choice(("200ms", "300ms", "1s")),
                 "--flush-rows", str(self.random.choice((20, 100, 1000)))]
        if self.random.random() < 0.2:
            words += ["--spool-limit", "64K"]
            self.counts["small spools"] += 1
        if automatic:
            words += ["--auto"]
        return words

    def life(self, number):
        draw = self.random
        self.aws.fault(self.draw_faults())
        limit = 0
        if draw.random() < 0.1:
            limit = draw.choice((4096, 16384, 65536))
            self.counts["full disks"] += 1
        sinks = [("a", self.start_sink("a", *self.small(draw.random() < 0.5), limit=limit))]
        if draw.random() < 0.2:
            sinks.append(("b", self.start_sink("b", *self.small(draw.random() < 0.7))))
            self.counts["second writers"] += 1
        # Most die at work, some while they start.
        lives = draw.choice((0.05, 0.2, 0.6)) if draw.random() < 0.3 else draw.uniform(0.6, 2.0)
        ends = time.monotonic() + lives
        if lives > 0.6 and draw.random() < 0.5:
            time.sleep(0.5)
            word = draw.choice(("flush", "transform", "load", "load"))
            code, said = self.command("a", sinks[0][1], word, wait=False)
            self.counts[word + " commands" if code == 0 else "commands refused"] += 1
        accident = draw.random()
        if accident < 0.03:
            time.sleep(max(0, (ends - time.monotonic()) / 2))
            self.kill(self.cloud)
            self.start_cloud()
            self.counts["clouds killed"] += 1
        elif accident < 0.06:
            self.kill(self.simulator)
            self.start_simulator()
            self.counts["simulators killed"] += 1
        elif accident < 0.09:
            self.ask_broker("down")
            time.sleep(max(0, (ends - time.monotonic()) / 2))
            self.ask_broker("up")
            self.counts["broker outages"] += 1
        time.sleep(max(0, ends - time.monotonic()))
        for who, sink in sinks:
            if sink.poll() is not None:
                self.counts["sinks that had ended by themselves"] += 1
                tell("life %d: sink %s had ended with %s" % (number, who, sink.returncode))
            self.kill(sink)
            self.counts["kills"] += 1

    # ---- the whole ----

    def torture(self):
        self.speed = max(1, round(SIMULATED_SECONDS / (self.options.kills * 1.4)))
        self.start_broker()
        self.start_cloud()
        self.start_simulator()
        number = 0
        began = time.monotonic()
        while self.counts["kills"] < self.options.kills:
            number += 1
            self.life(number)
            if number % 25 == 0:
                tell("%d kills in %d s" % (self.counts["kills"], time.monotonic() - began))
        self.aws.fault([])
        self.kill(self.simulator, signal.SIGTERM)
        self.progress()

    def progress(self):
        """What those that were killed had done until then: without it the test would prove the last sink alone."""
        for name, ask in (("landed", lambda topic: self.aws.athena("SELECT count(*) FROM smartcity_raw.%s" % topic, BUCKET)),
                          ("loaded", lambda topic: self.aws.redshift("SELECT count(*) FROM smartcity.%s" % topic))):
            for topic in TOPICS:
                try:
                    self.counts[name] += int(ask(topic)[0][0])
                except Failed as failed:
                    tell("%s: %s" % (name, failed))
        for who in ("a", "b"):
            if os.path.exists(self.path(who + ".log")):
                with open(self.path(who + ".log"), errors="replace") as log:
                    self.counts["landed again"] += log.read().count("were begun by another run and are landed again")

    def drain(self):
        sink = self.start_sink("a", "--drain")
        try:
            said = sink.communicate(timeout=120)[0]
        except subprocess.TimeoutExpired:
            raise Stuck("sink --drain did not end within 120 s")
        self.children.remove(sink)
        return sink.returncode, said

    def finish(self, step):
        """transform or load, to the end, twice: the second time there is nothing to do."""
        sink = self.start_sink("a")
        try:
            until = time.monotonic() + 120
            for again in range(2):
                while True:
                    code, said = self.command("a", sink, step)
                    if code == 0 or time.monotonic() > until:
                        break
                    tell("%s: %s" % (step, said))
                    time.sleep(1)
                if code != 0:
                    return code, said
            return code, said
        finally:
            self.kill(sink, signal.SIGTERM)

    def dump(self):
        path = self.path("kafka.txt")
        if int(self.ask_broker("dump " + path)) < 0:
            raise Stuck("the broker lost records of its own: see %s" % self.path("broker.log"))
        kafka = collections.defaultdict(collections.Counter)
        with open(path) as file:
            for line in file:
                topic, partition, offset, event = line.split()
                kafka[topic][(partition, offset, event)] += 1
        return kafka

    def close(self):
        for child in list(self.children):
            child.kill()
            child.communicate()


class Tap:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, name, why=""):
        number = self.passed + self.failed + 1
        print("%s %d - %s" % ("ok" if good else "not ok", number, name), flush=True)
        if good:
            self.passed += 1
        else:
            self.failed += 1
            for line in str(why).splitlines()[:20]:
                tell("  " + line)


def difference(expected, found):
    """Nothing, or what is missing, doubled and strange, by name."""
    missing, extra = expected - found, found - expected
    if not missing and not extra:
        return ""
    said = ["%d missing, %d too many of %d" % (missing.total(), extra.total(), expected.total())]
    said += ["missing: %s" % (row,) for row in sorted(missing, key=str)[:8]]
    said += ["%s: %s" % ("twice" if row in expected else "strange", row) for row in sorted(extra, key=str)[:8]]
    return "\n".join(said)


def compare(torture, tap, kafka):
    for topic in TOPICS:
        expected = kafka[topic]
        where = '"_kafka_partition", "_kafka_offset", id'
        for name, ask in (
                ("Athena, smartcity_raw", lambda: torture.aws.athena("SELECT %s FROM smartcity_raw.%s" % (where, topic), BUCKET)),
                ("Redshift", lambda: torture.aws.redshift("SELECT %s FROM smartcity.%s" % (where, topic))),
                ("Athena, smartcity_curated",
                 lambda: torture.aws.athena("SELECT %s FROM smartcity_curated.%s" % (where, topic), BUCKET))):
            try:
                found = collections.Counter(tuple(row) for row in ask())
                why = difference(expected, found)
            except Failed as failed:
                why = str(failed)
            tap.check(not why, "%s: each of %d events of %s once" % (name, expected.total(), topic), why)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="torture-")
    torture, tap = Torture(options, folder), Tap()
    print("TAP version 13", flush=True)
    tell("seed %d, %d kills, in %s" % (options.seed, options.kills, folder))
    began = time.monotonic()
    try:
        torture.torture()
        tap.check(torture.counts["kills"] >= options.kills, "killed %d times" % torture.counts["kills"])
        landed, loaded, again = (torture.counts.pop(name, 0) for name in ("landed", "loaded", "landed again"))
        tell(", ".join("%d %s" % (count, name) for name, count in sorted(torture.counts.items())))
        code, said = torture.drain()
        tap.check(code == 0, "sink --drain lands the rest", said)
        for step in ("transform", "load"):
            code, said = torture.finish(step)
            tap.check(code == 0, "%s to the end, and again" % step, said)
        kafka = torture.dump()
        total = sum(counter.total() for counter in kafka.values())
        tap.check(total >= 20 * options.kills and all(kafka[topic] for topic in TOPICS), "Kafka acknowledged %d events" % total,
                  {topic: counter.total() for topic, counter in kafka.items()})
        tap.check(options.kills < 50 or (landed > total / 5 and loaded > 0 and again > 0),
                  "the killed had landed %d of them, and loaded %d; %d batches begun by one were finished by the next" %
                  (landed, loaded, again))
        compare(torture, tap, kafka)
    except (Stuck, Failed, subprocess.TimeoutExpired) as failed:
        tap.check(False, "goes to the end", failed)
    finally:
        torture.close()
    print("1..%d" % (tap.passed + tap.failed))
    tell("%d s" % (time.monotonic() - began))
    if tap.failed or options.keep:
        tell("kept: %s; the same again: --seed %d" % (folder, options.seed))
    else:
        shutil.rmtree(folder, ignore_errors=True)
    print("%d passed, %d failed" % (tap.passed, tap.failed), flush=True)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
