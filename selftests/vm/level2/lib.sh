# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# An NVMe controller and a mediated UART carried into a guest: what has to be
# made ready on the host, how to run it, and what must be true afterwards.
# "make demo" and the test "passthrough" share it. The parts that run further
# inside are carry (level 1) and init (level 2, the guest).

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# level2_sizes MIB KIB: how much the guest reads from the disk, and sends through the UART.
level2_sizes()
{
	level2_mib=$1 level2_bytes=$(($1 << 20)) level2_kib=$2
}
level2_sizes 64 4

# level2_prepare SERIES FOLDER [MODULE...]: the guest's initramfs, with drivers
# besides NVMe's, and a disk in FOLDER. A kernel for debugging carries one that isn't.
level2_prepare()
{
	local series=${1%-debug} folder=$2 layer image

	shift 2
	layer=$("$ferry_vm/kernel" modules "$series") &&
	level2_image=$("$ferry_vm/kernel" image "$series") || return 1
	image=$({ cat "$ferry_vm/level2/init" "$ferry_vm/initramfs"; echo "$@"; } |
		sha256sum | cut -c 1-12)
	level2_initramfs=$ferry_cache/initramfs/level2-$(basename "$layer")-$image
	if [ ! -e "$level2_initramfs" ]; then
		step "making the guest's initramfs" "$ferry_vm/initramfs" "$level2_initramfs" \
			"$series" "$ferry_vm/level2/init" nvme "$@" || return 1
	fi

	say "filling a disk with $level2_mib MiB of random data"
	level2_disk=$folder/disk
	head -c "$level2_bytes" /dev/urandom >"$level2_disk" &&
	level2_sum=$(sha256sum <"$level2_disk" | cut -d ' ' -f 1) &&
	truncate -s +1M "$level2_disk"
}

# level2_run SERIES FOLDER: leaves facts in FOLDER/facts; progress on standard
# error. Level 1 has one processor: with two, emulated side by side, the guest or
# the whole machine was reset out of the blue in every fifth run.
level2_run()
{
	local timeout=900

	[[ $1 != *-debug ]] || timeout=3600
	level2_status=0
	"$ferry_vm/run" --kernel "$1" --load --cpus 1 --memory 2G --timeout "$timeout" \
		--device "nvme,file=$level2_disk" -- \
		"$ferry_vm/level2/carry" ferry-vfio-pci "$level2_image" \
		"$level2_initramfs" "$level2_bytes" "$level2_kib" >"$2/facts" || level2_status=$?
}

# fact WORD: the value of the first fact of that name. facts WORD: all of them.
fact()
{
	facts "$1" | sed -n 1p
}

facts()
{
	sed -n "s/^$1 //p" "$level2_facts"
}

# verdict DEVICE WHAT ADVICE TEST...: one thing that must be true, and what to
# do if it isn't.
verdict()
{
	local device=$1 what=$2 advice=$3 ok=ok

	shift 3
	"$@" || ok=bad
	printf '%s\t%s\t%s\t%s\n' "$ok" "$device" "$what" "$advice"
}

same()
{
	[ -n "$1" ] && [ "$1" = "$2" ]
}

none()
{
	[ -z "$1" ]
}

# Lines of "NAME COUNT": the admin queue of a controller has a vector, and so
# has at least one queue for data; each must have been used.
used()
{
	awk '$2 > 0 { used++ } END { exit used < 2 }' <<<"$1"
}

# level2_judge FOLDER: a line for each thing that must be true, as verdict
# prints it, for the devices nvme, uart and all.
level2_judge()
{
	local block read wrote again log drivers said

	level2_facts=$1/facts
	block=$(dd if="$level2_disk" bs=65536 skip=$((level2_bytes / 65536)) count=1 status=none |
		sha256sum | cut -d ' ' -f 1)
	read=$(fact nvme-read) wrote=$(fact nvme-block) again=$(fact nvme-again)
	log=$({ facts log; facts console; } | "$ferry_vm/complaints" - | sed -n 1,3p) || true
	drivers=$(facts log | grep -E 'nvme|ttyS|serial|irq|IRQ' | grep -v 'ACPI: IRQ' | sed -n 1,3p) || true
	# True of most kernels and of this machine, and no matter to one device.
	said=$(facts qemu-said | grep -v -e 'VFIO dma-buf not supported in kernel' \
		-e 'exceeds the recommended cpus supported by KVM') || true

	verdict all "the guest ran to its end" \
		"$(fact failed | grep . || echo "the VM ended with status $level2_status, its log is named above")" \
		none "$(facts failed)$([ "$level2_status" -eq 0 ] || echo "status $level2_status")"
	# Of a guest that never was there is nothing to be judged.
	[ -n "$(fact guest)" ] || return 0
	verdict nvme "the guest's nvme driver has the controller" \
		"it has $(fact nvme-driver | grep . || echo none); see the guest's messages above" \
		same "$(fact nvme-driver)" nvme
	verdict nvme "the guest read $level2_mib MiB, SHA-256 as on the host" \
		"it read ${read:-nothing} instead of $level2_sum: look at DMA mapping and interrupts" \
		same "$read" "$level2_sum"
	verdict nvme "the guest wrote a block and read it again" \
		"it wrote ${wrote:-nothing} and read ${again:-nothing}: look at DMA mapping" same "$again" "$wrote"
	verdict nvme "the block is on the host's disk" \
		"the host has $block instead of ${wrote:-what the guest should write}: look at DMA mapping" \
		same "$block" "$wrote"
	verdict nvme "the guest's nvme driver uses MSI-X" \
		"they are: $(facts nvme-interrupt | tr '\n' ';') look at the MSI-X capability" \
		same "$(facts nvme-interrupt | cut -d ' ' -f 3 | sort -u)" msix
	verdict nvme "the guest's vectors were delivered" \
		"they are: $(facts nvme-interrupt | tr '\n' ';') look at the eventfds of MSI-X" \
		used "$(facts nvme-interrupt)"
	verdict nvme "/proc/interrupts of level 1 names and counts Ferry's vectors" \
		"it says: $(facts interrupt | tr '\n' ';') look at request_irq" \
		used "$(facts interrupt | grep -F ferry-msix)"
	verdict uart "the guest's serial driver has the UART, with no parameter" \
		"it has $(fact uart-driver | grep . || echo none); look at its IDs and class code" \
		same "$(fact uart-driver)" serial
	verdict uart "the guest found a 16550A" \
		"it found '$(fact uart-tty)': look at the FIFO and scratch registers" \
		same "$(fact uart-tty | cut -d ' ' -f 2)" 4
	verdict uart "$level2_kib KiB went through the UART and came back intact" \
		"sent $(fact uart-sent | grep . || echo nothing), back $(fact uart-back | grep . || echo nothing)" \
		same "$(fact uart-back)" "$(fact uart-sent | grep " $((level2_kib << 10))\$")"
	verdict uart "the UART's interrupts were delivered" \
		"they are: $(fact uart-interrupt | grep . || echo none); look at the level of INTx" \
		test "$(fact uart-interrupt | cut -d ' ' -f 2 | grep . || echo 0)" -gt 0
	verdict all "QEMU had nothing to complain about" \
		"it said: ${said//$'\n'/; }" none "$said"
	verdict all "the guest's kernel had nothing to complain about" \
		"it said: ${log//$'\n'/; }" none "$log"
	verdict all "the guest's drivers had nothing to complain about" \
		"they said: ${drivers//$'\n'/; }" none "$drivers"
	verdict all "nothing was left behind in level 1" \
		"left: $(facts left | tr '\n' ' ')" none "$(facts left)"
	verdict all "the log of level 1 was searched and has no complaint" \
		"it says: $(facts complaint | sed -n 1,3p | tr '\n' ';')" \
		none "$(facts complaint)$(grep -qx searched "$level2_facts" || echo 'not searched')"
}
