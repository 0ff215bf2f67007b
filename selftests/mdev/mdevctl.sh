#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A mediated UART by the stock tool: mdevctl finds the type, starts a device
# of it, lists it and stops it.

uuid=fe44d0f0-6e5f-4a7e-8d51-0000000000ff
bus=/sys/bus/mdev/devices
n=0
failed=0

say()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		failed=1
	fi
}

skip()
{
	echo "1..0 # SKIP $1"
	exit 4
}

echo "TAP version 13"
command -v mdevctl >/dev/null || skip "mdevctl is not installed"
type=$(ls -d /sys/class/mdev_bus/*/mdev_supported_types/*uart 2>/dev/null |
	head -n 1)
[ -n "$type" ] || skip "no mediated device type *uart"
parent=$(basename "$(dirname "$(dirname "$type")")")
type=$(basename "$type")
trap '[ ! -e $bus/$uuid ] || echo 1 > $bus/$uuid/remove' EXIT

echo "1..5"
mdevctl types 2>&1 | grep -q "$type"
say $? "mdevctl types shows $type"
mdevctl start --uuid $uuid --parent "$parent" --type "$type"
say $? "mdevctl start"
[ -e $bus/$uuid/iommu_group ]
say $? "the device has an IOMMU group"
mdevctl list 2>&1 | grep -q "$uuid.*$parent.*$type"
say $? "mdevctl list shows it"
mdevctl stop --uuid $uuid && [ ! -e $bus/$uuid ]
say $? "mdevctl stop"
exit $failed
