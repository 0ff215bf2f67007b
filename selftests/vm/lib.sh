# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the programs of the rig share: where things are kept, how progress is
# told, and how packages are fetched without changing the machine.

ferry_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
ferry_vm=$ferry_root/selftests/vm
ferry_cache=${FERRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ferry}

# Programs of the system live here for root only, but we call them as anybody.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say()
{
	printf '%s\n' "ferry: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# step TEXT COMMAND...: run a command quietly, say what it does, how long it
# took when that is worth a word, and what it printed when it failed.
step()
{
	local text=$1 begin=$SECONDS out rc=0

	shift
	say "$text"
	out=$(mktemp)
	"$@" </dev/null >"$out" 2>&1 || rc=$?
	if [ "$rc" -ne 0 ]; then
		say "$text: failed (status $rc), its last lines were:"
		tail -n 20 "$out" >&2
	elif [ $((SECONDS - begin)) -ge 3 ]; then
		say "$text: done in $((SECONDS - begin)) s"
	fi
	rm -f "$out"
	return "$rc"
}

# locked NAME COMMAND...: one user of a part of the cache at a time.
locked()
{
	local name=$1 rc=0

	shift
	mkdir -p "$ferry_cache"
	exec 8>"$ferry_cache/$name.lock"
	if ! flock -n 8; then
		say "waiting for another run that prepares the $name"
		flock 8
	fi
	"$@" 8>&- || rc=$?
	exec 8>&-
	return "$rc"
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# need_packages PACKAGE...: install those that are missing, and only those.
# A kernel image never comes in this way: kernels are unpacked into the cache.
need_packages()
{
	local package missing=()

	for package; do
		# A word for each architecture that has it.
		case " $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null)" in
		*" installed "*) ;;
		*) missing+=("$package") ;;
		esac
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	locked packages install_packages "${missing[@]}"
}

install_packages()
{
	# A machine that has just started may be installing updates.
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends
		   -o DPkg::Lock::Timeout=600)

	# The lists of a fresh machine may be missing or out of date.
	if ! as_root apt-get install -qq --simulate --no-install-recommends \
	     "$@" >/dev/null 2>&1; then
		step "reading the package lists" as_root apt-get update -qq ||
			return 1
	fi
	step "installing $*" as_root "${apt[@]}" "$@" && return 0
	step "reading the package lists again" as_root apt-get update -qq &&
	step "installing $*" as_root "${apt[@]}" "$@"
}

# What takes a kernel of Debian's a sixth of its start, and nobody uses here: the types of BPF
# are read, twice, a source of random numbers and the ciphers are tried out.
quick_start="initcall_blacklist=bpf_dummy_struct_ops_init,bpf_tcp_ca_kfunc_init,jent_mod_init"
quick_start+=" cryptomgr.notests"

# What it takes to build modules against the headers of Debian's kernels.
build_packages=(make gcc-12 libelf1 pahole)

# An apt of our own: it reads the suites of one Debian release, backports among
# them, from the mirrors that the machine is configured for, and keeps its lists
# in the cache. Nothing that it fetches is installed.
private_debian=bookworm

private_apt_options()
{
	private_apt=$ferry_cache/apt/$private_debian
	apt_options=(
		-o Dir::State::lists="$private_apt/lists"
		-o Dir::Cache="$private_apt/cache"
		-o Dir::Etc::sourcelist="$private_apt/sources.sources"
		-o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferences=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null
		-o APT::Sandbox::User=root
		-o APT::Get::List-Cleanup=0
	)
}

# mirror PATTERN: where the machine gets a suite of such a name from. The archive's own suites, not
# those of another vendor, have main.
mirror()
{
	apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
	awk -v name="$1" '$2 == "main" && $1 ~ name { print $3; exit }'
}

private_apt_update()
{
	local main security keyring

	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	main=$(mirror '^[a-z]+$')
	# It is told of lists only that are there.
	[ -n "$main" ] || {
		step "reading the package lists" as_root apt-get update -qq
		main=$(mirror '^[a-z]+$')
	}
	security=$(mirror '^[a-z]+-security$')
	[ -n "$main" ] ||
		die "apt on this machine has no Debian mirror configured: add one to /etc/apt/sources.list"
	[ -e "$keyring" ] || need_packages debian-archive-keyring

	private_apt_options
	mkdir -p "$private_apt/lists/partial" "$private_apt/cache/archives/partial"
	{
		printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
			"$main" "$private_debian $private_debian-updates $private_debian-backports" \
			"$keyring"
		[ -z "$security" ] ||
		printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
			"$security" "$private_debian-security" "$keyring"
	} >"$private_apt/sources.sources"
	step "reading the package lists of Debian $private_debian and its backports" \
		apt-get "${apt_options[@]}" update -qq
}

# Name a few, count many.
some()
{
	if [ $# -le 4 ]; then
		echo "$*"
	else
		echo "${!#} and $(($# - 1)) packages that it needs"
	fi
}

# private_fetch DIRECTORY PACKAGE...: download and unpack, without installing.
private_fetch()
{
	local into=$1 work package

	shift
	work=$into.debs
	rm -rf "$work"
	mkdir -p "$work" "$into"
	private_apt_options
	step "fetching $(some "$@")" \
		env -C "$work" apt-get "${apt_options[@]}" download -qq "$@" || return 1
	for package in "$work"/*.deb; do
		dpkg-deb -x "$package" "$into" || return 1
	done
	rm -rf "$work"
}
