// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors that a device reports (AER) reach its user, and the host goes on.
 *
 * The kernel's own aer_inject makes a device appear to have reported one: from
 * the root port's interrupt on it is handled as any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define INJECT		"/dev/aer_inject"
/* Of e1000e and igb: a register that isn't all ones. */
#define STATUS		0x8

/* What aer_inject reads; no header of the kernel's has it. */
struct injection {
	__u8 bus;
	__u8 device;
	__u8 function;
	__u32 uncorrectable;
	__u32 corrected;
	__u32 header_log[4];
	__u32 domain;
};

FIXTURE(aer)
{
	struct vdev v;
	__u32 before;
	int inject;
	int efd;
	int log;
};

FIXTURE_VARIANT(aer)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(aer, e1000e)
{
	.device = "e1000e",
};

FIXTURE_VARIANT_ADD(aer, igb)
{
	.device = "igb",
};

/* Does the kernel handle what the port above a device receives? */
static bool port_is_handled(const char *bdf)
{
	char port[FERRY_NAME_MAX], path[256];

	if (pci_upstream(bdf, port, sizeof(port)))
		return false;
	snprintf(path, sizeof(path),
		 "/sys/bus/pci_express/drivers/aer/%s:pcie002", port);
	return path_exists(path);
}

FIXTURE_SETUP(aer)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	if (!port_is_handled(device_bdf(variant->device)))
		SKIP(return, "the kernel leaves AER to the firmware");
	if (!module_exists("aer_inject"))
		SKIP(return, "this kernel has no aer_inject");
	/* It stays: its unloading pulls the rug from under who reads config. */
	ASSERT_EQ(0, module_load("aer_inject", ""));
	self->inject = open(INJECT, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->inject);
	self->log = klog_open();
	ASSERT_LE(0, self->log);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->before = region_r32(&self->v, BAR0, STATUS);
	ASSERT_NE(~0U, self->before);
}

FIXTURE_TEARDOWN(aer)
{
	vdev_close(&self->v);
	close(self->efd);
	close(self->log);
	close(self->inject);
}

static int report(int inject, const char *bdf, __u32 uncorrectable,
		  __u32 corrected)
{
	struct injection i = {
		.uncorrectable = uncorrectable, .corrected = corrected,
	};
	unsigned int domain, bus, device, function;

	if (sscanf(bdf, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
		return -EINVAL;
	i.domain = domain;
	i.bus = bus;
	i.device = device;
	i.function = function;
	return write(inject, &i, sizeof(i)) == sizeof(i) ? 0 : -errno;
}

/* Waits until the kernel has dealt with an error: may the device go on? */
static bool recovered(int log)
{
	struct pollfd pfd = { .fd = log, .events = POLLIN };
	char record[8192];
	ssize_t len;

	while (poll(&pfd, 1, FERRY_TIMEOUT_MS) == 1) {
		len = read(log, record, sizeof(record) - 1);
		if (len <= 0)
			continue;
		record[len] = '\0';
		if (strstr(record, "device recovery"))
			return strstr(record, "recovery successful");
	}
	return false;
}

/* One report, one signal; the device works on, and so does the next report. */
TEST_F(aer, signals)
{
	unsigned int i;

	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, report(self->inject, self->v.name,
				    PCI_ERR_UNC_COMP_TIME, 0));
		/* That it can be recovered from is for the driver to say. */
		ASSERT_TRUE(recovered(self->log));
		EXPECT_EQ(1, efd_take(self->efd));
		EXPECT_EQ(self->before, region_r32(&self->v, BAR0, STATUS));
	}
}

/* Errors that hardware has corrected are the host's affair. */
TEST_F(aer, not_if_corrected)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	ASSERT_EQ(0, report(self->inject, self->v.name, 0, PCI_ERR_COR_RCVR));
	/* They are handled in turn: after this one that one was seen. */
	ASSERT_EQ(0, report(self->inject, self->v.name, PCI_ERR_UNC_COMP_TIME,
			    0));
	ASSERT_TRUE(recovered(self->log));
	EXPECT_EQ(1, efd_take(self->efd));
}

/* Nobody has asked to be told, or nobody does any more. */
TEST_F(aer, nobody)
{
	ASSERT_EQ(0, report(self->inject, self->v.name, PCI_ERR_UNC_COMP_TIME,
			    0));
	EXPECT_TRUE(recovered(self->log));
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	/* Nothing is kept for those who come later. */
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0, -1));
	ASSERT_EQ(0, report(self->inject, self->v.name, PCI_ERR_UNC_COMP_TIME,
			    0));
	EXPECT_TRUE(recovered(self->log));
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, STATUS));
}

/* The driver has the function, but nobody has it open. */
TEST_F(aer, closed)
{
	vdev_close(&self->v);
	ASSERT_EQ(0, report(self->inject, self->v.name, PCI_ERR_UNC_COMP_TIME,
			    0));
	EXPECT_TRUE(recovered(self->log));
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, STATUS));
}

/*
 * What a register has to say, by read and by mapping: nothing of what it said
 * before while the device's memory is off, whoever has switched it off.
 */
static bool memory_tells_the_truth(const struct vdev *v, const void *map,
				   __u32 before)
{
	bool on = cfg_r16(v, PCI_COMMAND) & PCI_COMMAND_MEMORY;
	__u32 by_read = 0, by_map = 0;

	region_read(v, BAR0, STATUS, &by_read, sizeof(by_read));
	map_read32(map, STATUS, &by_map);
	return (by_read == before) == on && (by_map == before) == on;
}

/*
 * After a fatal one the kernel resets all behind the port, and asks nobody. The
 * user is told, resets the device, as it would have done anyway, and goes on.
 */
TEST_F(aer, fatal)
{
	unsigned int i;
	void *map;

	ASSERT_EQ(0, region_map(&self->v, BAR0, 0, getpagesize(), PROT_READ,
				MAP_SHARED, &map));
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, report(self->inject, self->v.name,
				    PCI_ERR_UNC_MALF_TLP, 0));
		ASSERT_TRUE(recovered(self->log));
		EXPECT_EQ(1, efd_take(self->efd));
		EXPECT_TRUE(memory_tells_the_truth(&self->v, map,
						   self->before));
		ASSERT_EQ(0, vdev_reset(&self->v));
		cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
		EXPECT_EQ(PCI_COMMAND_MEMORY, cfg_r16(&self->v, PCI_COMMAND) &
					      PCI_COMMAND_MEMORY);
		EXPECT_TRUE(memory_tells_the_truth(&self->v, map,
						   self->before));
	}
	munmap(map, getpagesize());
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
