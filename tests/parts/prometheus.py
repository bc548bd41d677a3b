"""prometheus.py - a Prometheus of our own that scrapes a system's programs every second."""
import requests
import yaml

from .process import ROOT, Process, free_port, wait_until


class Prometheus(Process):
    """Scrapes {job: programs} and evaluates the rules of deploy/monitoring."""

    def __init__(self, folder, jobs):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.targets = sum(map(len, jobs.values()))
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ROOT / "deploy/monitoring/rules/*.yml")],
            "scrape_configs": [{"job_name": job, "static_configs": [
                {"targets": [program.url.removeprefix("http://") for program in programs]}]}
                for job, programs in jobs.items()]}))
        super().__init__("prometheus", [
            "/usr/bin/prometheus", f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}", "--log.level=warn",
            f"--web.listen-address={self.url.removeprefix('http://')}"],
            folder / "prometheus.log", env={})

    def wait(self, timeout=20):
        """Until it has scraped everything once."""
        wait_until(lambda: len(self.query("up == 1")) == self.targets, timeout,
                   "everything is scraped", [self])
        return self

    def get(self, path, **parameters):
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10).json()
        assert answer["status"] == "success", f"{path} {parameters}: {answer}"
        return answer["data"]

    def query(self, expression):
        """[(labels, value)] now."""
        return [(one["metric"], float(one["value"][1]))
                for one in self.get("query", query=expression)["result"]]

    def firing(self):
        """The names of the alerts that fire now."""
        return {alert["labels"]["alertname"] for alert in self.get("alerts")["alerts"]
                if alert["state"] == "firing"}
