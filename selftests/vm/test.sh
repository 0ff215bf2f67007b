# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of a whole machine share: results as TAP, and, inside the
# machine, modules where modprobe finds them and a device's driver.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Generous: it only has to end a hang.
patience=${patience:-120}

tap_count=${FERRY_TAP_COUNT:-0}
tap_failed=0
tap_log=$(mktemp)

# ok NAME COMMAND...: one result; what the command said is shown when it failed.
ok()
{
	local name=$1

	shift
	tap_count=$((tap_count + 1))
	if "$@" >"$tap_log" 2>&1; then
		echo "ok $tap_count $name"
	else
		sed 's/^/# /' "$tap_log"
		echo "not ok $tap_count $name"
		tap_failed=1
	fi
}

# program FOLDER NAME [OPTION...]: one of the kselftest programs, with its results as
# kselftest's runner would show them, but without the twenty processes that it starts for
# each.
program()
{
	local path=$FERRY_ROOT/build/check/selftests/$1 program=$2 name="selftests: $1: $2" rc=0
	local begin=$SECONDS

	shift 2
	tap_count=$((tap_count + 1))
	echo "# $name"
	(set -o pipefail; cd "$path" && "./$program" "$@" 2>&1 | sed -u 's/^/# /') || rc=$?
	echo "# $program took $((SECONDS - begin)) s of the machine's time"
	case $rc in
	0) echo "ok $tap_count $name" ;;
	4) echo "ok $tap_count $name # SKIP" ;;
	*)
		echo "not ok $tap_count $name"
		tap_failed=1 ;;
	esac
}

# programs [OPTION...]: all that kselftest's runner runs, or those in the variable "only"; none
# of "left_out". Of the folders in "folders".
programs()
{
	local folder program

	for folder in ${folders:-pci mdev}; do
		for program in $(sed -nE 's/^TEST_GEN_PROGS [+:]= //p' "$FERRY_ROOT/selftests/$folder/Makefile"); do
			[ -z "${only:-}" ] || [[ " $only " == *" $program "* ]] || continue
			[[ " ${left_out:-} " != *" $program "* ]] || continue
			program "$folder" "$program" "$@"
		done
	done
}

# skip NAME WHY
skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count $1 # SKIP $2"
}

# bail WHY: nothing can be said without what is missing.
bail()
{
	echo "Bail out! $*"
	exit 1
}

# The plan; the test's exit status.
tap_end()
{
	echo "1..$tap_count"
	rm -f "$tap_log"
	exit "$tap_failed"
}

# RFC 9562, 5.4. The kernel would make one too, but not without sysctl.
random_uuid()
{
	od -An -N16 -tx1 /dev/urandom | tr -d ' \n' |
		sed -E 's/(.{8})(.{4}).(.{3}).(.{3})(.{12})/\1-\2-4\3-8\4-\5/'
}

# until_true COMMAND...: wait for what must happen.
until_true()
{
	local until=$((SECONDS + patience))

	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || { echo "waited $patience s for: $*"; return 1; }
		sleep 0.1
	done
}

# depmod looks at all of a kernel's modules, which takes minutes in an emulated
# machine: keep of them those that matter here.
lean_modules()
{
	local lean release folder

	release=$(uname -r)
	lean=$(mktemp -d)
	for folder in drivers/iommu drivers/vfio virt/lib; do
		[ -d "/lib/modules/$release/kernel/$folder" ] || continue
		mkdir -p "$lean/kernel/$folder"
		cp -a "/lib/modules/$release/kernel/$folder/." "$lean/kernel/$folder/"
	done
	for folder in modules.order modules.builtin modules.builtin.modinfo build source; do
		[ ! -e "/lib/modules/$release/$folder" ] ||
			cp -a "/lib/modules/$release/$folder" "$lean/"
	done
	mount --bind "$lean" "/lib/modules/$release"
	depmod
}

# install_modules FOLDER...: what is built there goes where "make
# modules_install" puts modules from outside the kernel.
install_modules()
{
	local updates

	updates=/lib/modules/$(uname -r)/updates
	mkdir -p "$updates"
	find "$@" -name '*.ko' -exec cp -L -t "$updates" {} +
	depmod
}

# unload_modules: ours, each after whatever depends on it. The drop-in's name
# doesn't tell that it is one of them, but that it uses the core.
unload_modules()
{
	local module progress=y said

	said=$(mktemp)
	while [ -n "$progress" ]; do
		progress=''
		for module in $(awk '$1 == "ferry" && $4 != "-" { gsub(",", " ", $4); print $4 }
				     $1 ~ /^ferry/ { print $1 }' /proc/modules | uniq); do
			[ -d "/sys/module/$module" ] || continue
			if rmmod "$module" 2>"$said"; then
				progress=y
			fi
		done
	done
	tail -n 1 "$said" >&2
	[ ! -s "$said" ]
}

# remains: everything by which somebody could notice that we have been here.
remains()
{
	local path

	for path in /sys/module/ferry* /sys/bus/pci/drivers/ferry* /sys/bus/mdev/drivers/ferry* \
		    /sys/bus/mdev/devices/* /sys/class/mdev_bus/* /sys/devices/ferry* \
		    /sys/bus/ferry* /sys/kernel/debug/*ferry* /sys/kernel/slab/*ferry* \
		    /proc/*ferry* /dev/*ferry* /dev/ttyFY* /sys/class/vfio/* /dev/vfio/[0-9]*; do
		[ ! -e "$path" ] || echo "$path"
	done
	! grep -q ferry /proc/interrupts || echo "an interrupt in /proc/interrupts"
}

# A kernel with kmemleak knows what nobody points to any more.
kmemleak=/sys/kernel/debug/kmemleak

# nothing_leaked: since the start. What is younger than five seconds is not suspected,
# and what has changed between two scans is not reported.
nothing_leaked()
{
	sleep 6
	echo scan >"$kmemleak" && echo scan >"$kmemleak" && cat "$kmemleak" || return 1
	[ -z "$(head -c 1 "$kmemleak")" ]
}

# huge_pages NUMBER: of 2 MiB each, and where programs expect them.
huge_pages()
{
	local pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages

	mkdir -p /dev/hugepages
	mountpoint -q /dev/hugepages || mount -t hugetlbfs none /dev/hugepages
	echo "$1" >"$pages"
	[ "$(cat "$pages")" = "$1" ] || { echo "the kernel has $(cat "$pages") huge pages, not $1"; return 1; }
}

driver_of()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/driver" || echo none)"
}

# has_driver BDF DRIVER
has_driver()
{
	[ "$(driver_of "$1")" = "$2" ] || { echo "$1 has driver $(driver_of "$1"), not $2"; return 1; }
}

# bind_to DRIVER BDF...
bind_to()
{
	local driver=$1 bdf path

	shift
	for bdf; do
		path=/sys/bus/pci/devices/$bdf
		[ ! -e "$path/driver" ] || echo "$bdf" >"$path/driver/unbind" || return 1
		echo "$driver" >"$path/driver_override"
		echo "$bdf" >/sys/bus/pci/drivers_probe || return 1
		has_driver "$bdf" "$driver" || return 1
	done
}

# group_of PATH: the number of the IOMMU group of a device in sysfs.
group_of()
{
	basename "$(readlink "$1/iommu_group")"
}
