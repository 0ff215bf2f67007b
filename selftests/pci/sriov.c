// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions of a physical one that user space drives.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define TOKEN	"bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"

FIXTURE(sriov)
{
	const char *pf;
	int klog;
};

FIXTURE_SETUP(sriov)
{
	const char *missing = device_missing("igb");

	if (missing)
		SKIP(return, "%s", missing);
	self->pf = device_bdf("igb");
	self->klog = klog_open();
	ASSERT_LE(0, self->klog);
	ASSERT_EQ(0, sriov_begin(self->pf));
}

FIXTURE_TEARDOWN(sriov)
{
	sriov_end(self->pf);
	close(self->klog);
}

static int said_of(int klog, const char *bdf)
{
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "%s %s: ", driver_name(), bdf);
	return klog_count(klog, prefix, "probe with driver");
}

static unsigned int count_of(const char *pf)
{
	char text[16] = "";

	pci_attr_read(pf, "sriov_numvfs", text, sizeof(text));
	return atoi(text);
}

/* Not unless the administrator has said so. */
TEST_F(sriov, not_enabled)
{
	ASSERT_EQ(0, module_param_write(driver_name(), "enable_sriov", "N"));
	EXPECT_EQ(-ENOENT, sriov_enable(self->pf, 1));
	EXPECT_EQ(0, count_of(self->pf));
	if (!driver_is_stock())
		EXPECT_EQ(1, said_of(self->klog, self->pf));
	ASSERT_EQ(0, module_param_write(driver_name(), "enable_sriov", "Y"));
	EXPECT_EQ(0, sriov_enable(self->pf, 1));
	EXPECT_EQ(1, count_of(self->pf));
}

/* Virtual functions come to the driver of their physical one, and to no other. */
TEST_F(sriov, captured)
{
	char vf[FERRY_NAME_MAX], text[FERRY_NAME_MAX];
	unsigned int i;

	ASSERT_EQ(0, sriov_enable(self->pf, 7));
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(0, sriov_vf(self->pf, i, vf, sizeof(vf)));
		ASSERT_EQ(0, pci_attr_read(vf, "driver_override", text,
					   sizeof(text)));
		EXPECT_STREQ(driver_name(), text);
		ASSERT_EQ(0, pci_driver(vf, text, sizeof(text)));
		EXPECT_STREQ(driver_name(), text);
	}
	EXPECT_EQ(0, sriov_enable(self->pf, 0));
	EXPECT_NE(0, sriov_vf(self->pf, 0, vf, sizeof(vf)));
}

TEST_F(sriov, refused_counts)
{
	char vf[FERRY_NAME_MAX], total[16];

	ASSERT_EQ(0, pci_attr_read(self->pf, "sriov_totalvfs", total,
				   sizeof(total)));
	EXPECT_EQ(-ERANGE, sriov_enable(self->pf, atoi(total) + 1));
	EXPECT_EQ(0, count_of(self->pf));
	ASSERT_EQ(0, sriov_enable(self->pf, 1));
	EXPECT_EQ(-EBUSY, sriov_enable(self->pf, 2));
	EXPECT_EQ(1, count_of(self->pf));
	EXPECT_EQ(0, sriov_vf(self->pf, 0, vf, sizeof(vf)));
}

/* Whoever let them in can have them out, whatever the parameter says by then. */
TEST_F(sriov, disabled_after_all)
{
	if (driver_is_stock())
		SKIP(return, "the kernel's own driver keeps them");
	ASSERT_EQ(0, sriov_enable(self->pf, 1));
	ASSERT_EQ(0, module_param_write(driver_name(), "enable_sriov", "N"));
	EXPECT_EQ(0, sriov_enable(self->pf, 0));
	EXPECT_EQ(0, count_of(self->pf));
}

/* They go with their physical function. */
TEST_F(sriov, unbound)
{
	char vf[FERRY_NAME_MAX];

	/*
	 * pci_disable_sriov() wants pci_rescan_remove_lock, which whoever unplugs the
	 * physical function holds and whoever unbinds it does not: no driver can tell.
	 */
	if (!access("/proc/lockdep", F_OK))
		SKIP(return, "this kernel warns of a lock that it does not take itself");
	ASSERT_EQ(0, sriov_enable(self->pf, 2));
	ASSERT_EQ(0, pci_unbind(self->pf));
	EXPECT_EQ(0, count_of(self->pf));
	EXPECT_NE(0, sriov_vf(self->pf, 0, vf, sizeof(vf)));
	ASSERT_EQ(0, pci_bind(self->pf, driver_name()));
	EXPECT_EQ(0, sriov_enable(self->pf, 1));
}

static unsigned int power_state(const struct vdev *v)
{
	unsigned int pm = cfg_find_cap(v, PCI_CAP_ID_PM);

	return cfg_r16(v, pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK;
}

/* Virtual functions have no power but that of their physical one. */
TEST_F(sriov, power)
{
	struct vdev v;

	ASSERT_EQ(0, vdev_open(&v, "pci", self->pf));
	ASSERT_LT(0, cfg_find_cap(&v, PCI_CAP_ID_PM));
	cfg_power_state(&v, 3);
	ASSERT_EQ(3, power_state(&v));
	ASSERT_EQ(0, sriov_enable(self->pf, 1));
	EXPECT_EQ(0, power_state(&v));
	cfg_power_state(&v, 3);
	EXPECT_EQ(0, power_state(&v));
	ASSERT_EQ(0, sriov_enable(self->pf, 0));
	cfg_power_state(&v, 3);
	EXPECT_EQ(3, power_state(&v));
	vdev_close(&v);
}

static void *resetter(void *arg)
{
	const struct vdev *v = arg;

	return (void *)(long)fd_ioctl(v->fd, VFIO_DEVICE_RESET, NULL);
}

/* Each is reset by itself, so none waits for another or is refused. */
TEST_F(sriov, resets_at_once)
{
	char vf[FERRY_NAME_MAX];
	pthread_t threads[7];
	struct vdev pf, v[7];
	unsigned int i, round;
	void *ret;

	ASSERT_EQ(0, sriov_enable(self->pf, 7));
	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(0, sriov_vf(self->pf, i, vf, sizeof(vf)));
		ASSERT_EQ(0, vdev_open_with(&v[i], "pci", vf,
					    " vf_token=" TOKEN));
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 7; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, resetter,
						    &v[i]));
		for (i = 0; i < 7; i++) {
			pthread_join(threads[i], &ret);
			EXPECT_EQ(NULL, ret);
		}
	}
	for (i = 0; i < 7; i++)
		vdev_close(&v[i]);
	vdev_close(&pf);
}

struct disabling {
	const char *pf;
	int ret;
	bool done;
};

static void *disabler(void *arg)
{
	struct disabling *d = arg;

	d->ret = sriov_enable(d->pf, 0);
	__atomic_store_n(&d->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Who uses a virtual function that is to go is asked, and waited for. */
TEST_F(sriov, disabled_while_open)
{
	struct disabling d = { .pf = self->pf };
	char vf[FERRY_NAME_MAX];
	int req = efd_new();
	struct vdev pf, v;
	pthread_t thread;

	ASSERT_EQ(0, sriov_enable(self->pf, 1));
	ASSERT_EQ(0, sriov_vf(self->pf, 0, vf, sizeof(vf)));
	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	ASSERT_EQ(0, vdev_open_with(&v, "pci", vf, " vf_token=" TOKEN));

	ASSERT_EQ(0, irq_attach_one(&v, VFIO_PCI_REQ_IRQ_INDEX, 0, req));
	ASSERT_EQ(0, pthread_create(&thread, NULL, disabler, &d));
	ASSERT_LE(1, efd_wait(req));
	EXPECT_FALSE(__atomic_load_n(&d.done, __ATOMIC_ACQUIRE));
	vdev_close(&v);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, d.ret);
	EXPECT_EQ(0, count_of(self->pf));
	EXPECT_NE(0xffff, cfg_r16(&pf, PCI_VENDOR_ID));
	vdev_close(&pf);
	close(req);
}

/* The kernel's own driver, for a physical function that is not ours. */
static bool load_other(void)
{
	return path_exists("/sys/bus/pci/drivers/vfio-pci") ||
	       !system("modprobe vfio-pci");
}

/* With its physical function at another VFIO driver nobody would ask for a token. */
TEST_F(sriov, foreign_physical_function)
{
	char vf[FERRY_NAME_MAX];

	if (!strcmp(driver_name(), "vfio-pci"))
		SKIP(return, "the other driver has the same name");
	if (!load_other())
		SKIP(return, "there is no module vfio-pci");
	ASSERT_EQ(0, pci_bind(self->pf, "vfio-pci"));
	ASSERT_EQ(0, module_param_write("vfio-pci", "enable_sriov", "Y"));
	ASSERT_EQ(0, sriov_enable(self->pf, 1));
	ASSERT_EQ(0, sriov_vf(self->pf, 0, vf, sizeof(vf)));
	klog_count(self->klog, "", NULL);
	EXPECT_EQ(-EBUSY, pci_bind(vf, driver_name()));
	EXPECT_EQ(1, said_of(self->klog, vf));

	/* It can have it back. */
	EXPECT_EQ(0, pci_bind(vf, "vfio-pci"));
	EXPECT_EQ(0, sriov_enable(self->pf, 0));
	EXPECT_EQ(0, module_param_write("vfio-pci", "enable_sriov", "N"));
}

/* The other way round it is not ours to refuse, but it is told. */
TEST_F(sriov, foreign_virtual_function)
{
	char vf[FERRY_NAME_MAX];

	if (!strcmp(driver_name(), "vfio-pci"))
		SKIP(return, "the other driver has the same name");
	if (!load_other())
		SKIP(return, "there is no module vfio-pci");
	ASSERT_EQ(0, sriov_enable(self->pf, 1));
	ASSERT_EQ(0, sriov_vf(self->pf, 0, vf, sizeof(vf)));
	klog_count(self->klog, "", NULL);
	ASSERT_EQ(0, pci_bind(vf, "vfio-pci"));
	EXPECT_EQ(1, klog_count(self->klog, "which it has to trust", NULL));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
