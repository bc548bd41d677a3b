"""pace.py - pgbench: a statement so many times a second, for so many seconds."""
import subprocess


def commit_steadily(system, statement, rate, seconds):
    """Commits per second that it reached."""
    script = system.folder / "commit.sql"
    script.write_text(statement)
    done = subprocess.run(
        [f"{system.postgres.bin}/pgbench", "--no-vacuum", "--client=4", f"--rate={rate}",
         f"--time={seconds}", f"--file={script}", system.postgres.url(system.database)],
        capture_output=True, text=True, timeout=seconds + 60)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.partition("tps = ")[2].split()[0])
