# containers.sh - podman and buildah with a store of their own and without a daemon; to be sourced.
#
# Store and settings lie in ${XDG_CACHE_HOME:-~/.cache}/calrelay/images: the machine's own containers are
# neither read nor changed.  Containers use the machine's network (--network host), so that no bridge,
# route or firewall rule is made; those of docker-compose.yml, which needs all three, are in a network that
# the story makes for them.
# shellcheck shell=bash

IMAGES=${XDG_CACHE_HOME:-$HOME/.cache}/calrelay/images
RUN=/run/calrelay-images-$(cksum <<<"$IMAGES" | cut -d ' ' -f 1) # a store's own, as its locks are
IMAGES_GIB_MAX=12

BASE=docker.io/library/debian:bookworm-slim
BASE_DAYS_MAX=7
SLIM=( # as Debian makes its own
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright'
	--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*'
	--dpkgopt='path-exclude=/usr/share/info/*'
)

write_settings() {
	cat >"$IMAGES/storage.conf" <<-CONF
		[storage]
		driver = "$1"
		graphroot = "$IMAGES/store-$1"
		runroot = "$RUN"
	CONF
	# runc, because crun refuses a machine with both versions of control groups; cgroupfs and a
	# file of events, because there may be no systemd.
	cat >"$IMAGES/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		tmp_dir = "$RUN/libpod"
		lock_type = "file"
		[network]
		network_backend = "netavark"
		network_config_dir = "$IMAGES/networks"
	CONF
}

# What is kept is worth a minute and no more.
forget_store() {
	umount "$IMAGES"/store-*/overlay 2>/dev/null || true # mounted on itself, where it is
	rm -rf "$IMAGES"/store-*
}

# Podman believes the paths in a store rather than its settings: too much of it, or made for another
# place, and it goes.
use_store() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "building and running images needs root" >&2
		return 1
	fi
	mkdir -p "$IMAGES"
	if [ "$(du -sxk "$IMAGES" | cut -f 1)" -gt $((IMAGES_GIB_MAX << 20)) ] ||
		[ "$(cat "$IMAGES/run" 2>/dev/null)" != "$RUN" ]; then
		forget_store
		echo "$RUN" >"$IMAGES/run"
	fi
	export CONTAINERS_STORAGE_CONF=$IMAGES/storage.conf CONTAINERS_CONF=$IMAGES/containers.conf
	write_settings overlay
	if ! podman info >/dev/null 2>&1; then # such as inside of a container
		write_settings vfs
	fi
	podman info >/dev/null
}

# From here on the caller is the only one who builds: they share the store.
open_store() {
	mkdir -p "$IMAGES"
	exec 9>"$IMAGES/lock"
	flock 9
	use_store
}

make_base() {
	local root=$IMAGES/bookworm.tar
	if [ -z "$(find "$root" -mtime "-$BASE_DAYS_MAX" 2>/dev/null)" ]; then
		mmdebstrap --quiet --variant=minbase --include=ca-certificates "${SLIM[@]}" --format=tar \
			bookworm "$root.part" </dev/null
		mv "$root.part" "$root"
		podman rmi --force --ignore "$BASE" >/dev/null
	fi
	if ! podman image exists "$BASE"; then
		podman import --quiet "$root" "$BASE" >/dev/null
	fi
}
