"""pause.py - the image that holds a pod's namespaces: one static program that waits, as a docker archive."""
import hashlib
import io
import json
import subprocess
import tarfile

SOURCE = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"
NAME = "localhost/pause:dev"


def write_pause_image(folder):
    program, archive = folder / "pause", folder / "pause.tar"
    subprocess.run(["cc", "-static", "-O1", "-o", program, "-x", "c", "-"], input=SOURCE,
                   text=True, check=True)
    layer = tar_of({"pause": program.read_bytes()})
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/pause"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }).encode()
    manifest = [{"Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"]}]
    archive.write_bytes(tar_of({"config.json": config, "layer.tar": layer,
                                "manifest.json": json.dumps(manifest).encode()}))
    return archive


def tar_of(files):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()
