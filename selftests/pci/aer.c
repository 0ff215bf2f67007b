// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors that a device reports (AER) reach its user, and the host goes on.
 *
 * The virtual machine's monitor, FERRY_MONITOR, makes the device that QEMU knows
 * as e1000e report one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define STATUS		0x8

FIXTURE(aer)
{
	struct vdev v;
	int monitor;
	int efd;
};

/*
 * Makes the device report an error. The monitor echoes what it is told, greets,
 * and prompts; what counts is the line that it answers with.
 */
static int report_error(int monitor, const char *error)
{
	struct pollfd pfd = { .fd = monitor, .events = POLLIN };
	char text[FERRY_TEXT_MAX];
	size_t have = 0;
	ssize_t len;

	len = snprintf(text, sizeof(text), "pcie_aer_inject_error e1000e %s\n",
		       error);
	if (write(monitor, text, len) != len)
		return -EIO;
	while (have < sizeof(text) - 1) {
		if (poll(&pfd, 1, FERRY_TIMEOUT_MS) != 1)
			return -ETIMEDOUT;
		len = read(monitor, text + have, sizeof(text) - 1 - have);
		if (len <= 0)
			return -EIO;
		have += len;
		text[have] = '\0';
		if (strstr(text, "OK id:"))
			return 0;
		if (strstr(text, "Error:"))
			break;
	}
	fprintf(stderr, "# monitor: %s\n", text);
	return -EINVAL;
}

FIXTURE_SETUP(aer)
{
	const char *missing = device_missing("e1000e");
	const char *path = getenv("FERRY_MONITOR");

	if (missing)
		SKIP(return, "%s", missing);
	if (!path)
		SKIP(return, "FERRY_MONITOR is not set");
	self->monitor = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->monitor);
	ASSERT_EQ(0, vdev_open_device(&self->v, "e1000e"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(aer)
{
	vdev_close(&self->v);
	close(self->efd);
	close(self->monitor);
}

/* One report, one signal; the device works on, and so does the next report. */
TEST_F(aer, signals)
{
	__u32 before = region_r32(&self->v, BAR0, STATUS);
	int log = klog_open();

	ASSERT_LE(0, log);
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	ASSERT_EQ(0, report_error(self->monitor, "COMP_TIME"));
	EXPECT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(before, region_r32(&self->v, BAR0, STATUS));
	ASSERT_EQ(0, report_error(self->monitor, "COMP_TIME"));
	EXPECT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(before, region_r32(&self->v, BAR0, STATUS));
	/* That they can be recovered from is for the driver to say. */
	EXPECT_EQ(0, klog_count(log, "recovery failed", NULL));
	close(log);
}

/* Errors that hardware has corrected are the host's affair. */
TEST_F(aer, not_if_corrected)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	ASSERT_EQ(0, report_error(self->monitor, "RCVR"));
	/* They are handled in turn: after this one that one was seen. */
	ASSERT_EQ(0, report_error(self->monitor, "COMP_TIME"));
	EXPECT_EQ(1, efd_wait(self->efd));
}

/* Nobody has asked to be told. */
TEST_F(aer, nobody)
{
	int log = klog_open();

	ASSERT_LE(0, log);
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0, -1));
	ASSERT_EQ(0, report_error(self->monitor, "COMP_TIME"));
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0,
				    self->efd));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_NE(~0U, region_r32(&self->v, BAR0, STATUS));
	EXPECT_EQ(0, klog_count(log, "recovery failed", NULL));
	close(log);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
