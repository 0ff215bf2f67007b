# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Runs in level 1: a guest in QEMU, told over a serial port what to do, and QEMU
# itself, told over QMP. Whoever reads this file sets image, initramfs and bytes,
# which the guest's disks hold. What the guest answers goes to standard output,
# a word and its value a line; progress to standard error.

. "$FERRY_ROOT/selftests/vm/lib.sh"

work=$(mktemp -d)
guest_cpus=1

# Generous: they only have to end a guest that hangs.
quiet_limit=600
poweroff_limit=120
case ${FERRY_KERNEL:-} in
# A start takes ten minutes.
*-debug) quiet_limit=1800 poweroff_limit=600 ;;
esac

# Nor may a processor that is emulated twice look stuck because the host is busy:
# a UART that loops back without delay keeps one in its handler for half a minute.
stall_limits="watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300"

note()
{
	printf '%s\n' "level 1: $*" >&2
}

tell()
{
	printf '%s\n' "$*"
}

# guest_command: what every guest is started with, as an array of that name.
guest_command()
{
	# A guest that waits shall not keep an emulated processor busy.
	modprobe kvm halt_poll_ns=0
	modprobe kvm_amd 2>/dev/null || modprobe kvm_intel 2>/dev/null || true
	[ -e /dev/kvm ] || {
		tell "failed no /dev/kvm in level 1: QEMU here emulates neither SVM nor VMX; use Debian's"
		return 1
	}

	# Where there is MMCONFIG Linux looks for peers of the root bus on 255 others, by
	# I/O ports: 16,000 exits to a QEMU that is emulated itself. Here are none. And
	# without ASPM, as 7.3 is built, it leaves hotplug to the firmware, unless told.
	guest_command=("$FERRY_QEMU" -nodefaults -no-user-config -display none -no-reboot
		-machine q35 -accel kvm -cpu host,-xsave -smp "$guest_cpus" -m 256M
		-kernel "$image" -initrd "$initramfs"
		-append "console=ttyS0 quiet panic=-1 unknown_nmi_panic $stall_limits $quick_start pci=lastbus=0 pcie_ports=native bytes=$bytes")
}

# start_guest OPTION...: QEMU with further options.
start_guest()
{
	guest_command || return 1
	rm -f "$work"/*
	mkfifo "$work/talk.in" "$work/talk.out" "$work/qmp.in" "$work/qmp.out"
	exec 3<>"$work/talk.out" 4<>"$work/talk.in" 5<>"$work/qmp.out" 6<>"$work/qmp.in"
	"${guest_command[@]}" \
		-serial "file:$work/console" \
		-chardev "pipe,id=talk,path=$work/talk" -serial chardev:talk \
		-qmp "pipe:$work/qmp" \
		"$@" </dev/null >"$work/qemu" 2>&1 3>&- 4>&- 5>&- 6>&- &
	qemu=$!
}

# Hand on what the guest tells, until it is through with something: at first
# with its start.
listen()
{
	local line heard=$SECONDS

	while :; do
		# A read whose time ends just when it has taken the newline loses that: so
		# none begins before there is something.
		if read -r -t 0 -u 3 && IFS= read -r -t "$quiet_limit" -u 3 line; then
			line=${line%$'\r'} heard=$SECONDS
			case $line in
			done) return 0 ;;
			"note "*) printf 'guest:   %s\n' "${line#note }" >&2 ;;
			*) tell "$line" ;;
			esac
			continue
		fi
		if ! kill -0 "$qemu" 2>/dev/null; then
			tell "failed the guest ended before it was through: $(tail -n 1 "$work/qemu" "$work/console" 2>/dev/null | tr '\n' ' ')"
			return 1
		fi
		if [ $((SECONDS - heard)) -ge "$quiet_limit" ]; then
			tell "failed the guest was silent for $quiet_limit s: $(tail -n 1 "$work/console")"
			return 1
		fi
		sleep 0.3
	done
}

# ask COMMAND: the guest does it; see init.
ask()
{
	printf '%s\n' "$*" >&4
	listen
}

# hear WORD: what QMP says, up to a line with WORD.
hear()
{
	local line

	while IFS= read -r -t "$poweroff_limit" -u 5 line; do
		case $line in
		*"$1"*) return 0 ;;
		*'"error"'*)
			tell "failed QEMU refused: $line"
			return 1 ;;
		esac
	done
	tell "failed QEMU did not say $1 for $poweroff_limit s"
	return 1
}

# qmp COMMAND [ARGUMENTS]: as JSON. The first is qmp_capabilities.
qmp()
{
	printf '{"execute":"%s","arguments":{%s}}\n' "$1" "${2:-}" >&6
	hear '"return"'
}

# The guest powers off.
end_guest()
{
	local tenths=$((poweroff_limit * 10))

	printf 'off\n' >&4
	while [ "$tenths" -gt 0 ] && kill -0 "$qemu" 2>/dev/null; do
		sleep 0.1
		tenths=$((tenths - 1))
	done
	bury_guest
}

# Whatever still runs is killed; one that did not come so far gets no time.
bury_guest()
{
	local rc=0

	kill -KILL "$qemu" 2>/dev/null && tell "failed the guest had to be killed"
	wait "$qemu" || rc=$?
	tell "qemu-status $rc"
	sed 's/^/qemu-said /' "$work/qemu"
	sed -n 's/\r$//; /./s/^/console /p' "$work/console"
}
