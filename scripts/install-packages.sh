#!/bin/sh
# Installs the Debian packages that a make target needs and that are missing. Usage: install-packages.sh GROUP…
# Groups: build, test, bench, proto. Does nothing, and needs no rights, where all is there.
set -eu

build="pkg-config libstdc++-12-dev libprotobuf-c-dev libcurl4-openssl-dev libyaml-dev libsimdjson-dev libmicrohttpd-dev
    libssl-dev"
proto="protobuf-compiler protobuf-c-compiler libprotobuf-c-dev"
test="$proto python3 python3-venv python3-protobuf golang-go golang-github-containerd-ttrpc-dev openssl"
bench="gcc g++ libc6-dev libssl-dev libsimdjson-dev openssl python3 pkg-config libcurl4-openssl-dev nginx-light golang-go
    golang-github-containerd-ttrpc-dev"

wanted=""
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    bench) wanted="$wanted $bench" ;;
    proto) wanted="$wanted $proto" ;;
    *) echo "install-packages.sh: unknown group '$group'" >&2; exit 64 ;;
    esac
done

missing=""
for package in $wanted; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "These packages are missing, and there is no apt-get to install them:$missing" >&2
    exit 1
fi
run=""
[ "$(id -u)" -eq 0 ] || run=sudo
echo "Installing:$missing"
# A service that a package would start is none of ours: nginx is only run by the benchmark, as its child.
policy=/usr/sbin/policy-rc.d
made_policy=false
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $run tee $policy >/dev/null
    $run chmod 755 $policy
    made_policy=true
fi
status=0
{ $run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing; } \
    >/tmp/genwire-apt.$$ 2>&1 || status=$?
if $made_policy; then $run rm -f $policy; fi
if [ $status -ne 0 ]; then
    cat /tmp/genwire-apt.$$ >&2
fi
rm -f /tmp/genwire-apt.$$
exit $status
