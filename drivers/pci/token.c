// SPDX-License-Identifier: GPL-2.0-only
/*
 * The token that the users of a physical function and of its virtual functions
 * share.
 *
 * A physical function can deny its virtual functions their service and may see their
 * data. So whoever opens a virtual function whose physical function user space drives,
 * or that physical function while its virtual functions are in use, has to name the
 * UUID that the physical function's user has chosen: both sides agreed to trust each
 * other.
 */
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>

#include "compat/compat.h"
#include "ferry_pci.h"

#define TOKEN_OPTION	"vf_token="

/* Guards the tokens of all functions and their counts of users; innermost. */
static DEFINE_MUTEX(token_lock);

/**
 * ferry_pci_token_init - begin with a token that nobody knows
 * @fpci: a function that is about to be registered
 */
void ferry_pci_token_init(struct ferry_pci *fpci)
{
	if (fpci->pdev->is_physfn)
		uuid_gen(&fpci->token.uuid);
}

/**
 * ferry_pci_token_release - the function is about to be freed
 * @fpci: the function
 */
void ferry_pci_token_release(struct ferry_pci *fpci)
{
	put_pid(fpci->token.opener);
}

/* May the holder of this token, or of none, open something of @pf's? */
static int check(struct ferry_pci *fpci, struct ferry_pci *pf,
		 const uuid_t *uuid)
{
	if (!uuid) {
		dev_info_ratelimited(&fpci->pdev->dev,
				     "can't be opened without the VF token that the user of %s has chosen: name it as vf_token\n",
				     pci_name(pf->pdev));
		return -EACCES;
	}
	if (!uuid_equal(uuid, &pf->token.uuid)) {
		dev_info_ratelimited(&fpci->pdev->dev,
				     "can't be opened with this VF token: name the one that the user of %s has chosen\n",
				     pci_name(pf->pdev));
		return -EACCES;
	}
	return 0;
}

static int refuse_needless(struct ferry_pci *fpci)
{
	dev_info_ratelimited(&fpci->pdev->dev,
			     "needs no VF token (%s): open it without one\n",
			     fpci->pdev->is_virtfn ?
			     "its physical function is not in the hands of a user" :
			     "it has no virtual functions");
	return -EINVAL;
}

static int match_token(struct ferry_pci *fpci, const uuid_t *uuid)
{
	lockdep_assert_held(&token_lock);

	if (fpci->pf)
		return check(fpci, fpci->pf, uuid);
	if (!fpci->pdev->is_physfn)
		return uuid ? refuse_needless(fpci) : 0;
	if (fpci->token.users)
		return check(fpci, fpci, uuid);
	/* Nobody uses a virtual function: this is the token from now on. */
	if (uuid)
		fpci->token.uuid = *uuid;
	return 0;
}

/**
 * ferry_pci_match_token - vfio_device_ops.match_token_uuid
 * @vdev: the device that somebody opens
 * @uuid: the token that they name, %NULL for none
 *
 * Context: process context.
 * Return: 0, -EACCES if the token is missing or wrong, -EINVAL if none is needed.
 */
int ferry_pci_match_token(struct vfio_device *vdev, const uuid_t *uuid)
{
	struct ferry_pci *fpci = to_ferry_pci(to_ferry_device(vdev));
	int ret;

	mutex_lock(&token_lock);
	ret = match_token(fpci, uuid);
	mutex_unlock(&token_lock);
	return ret;
}

/*
 * A VFIO core that doesn't ask for the token when a character device is bound calls
 * the same callback there as for a group, whose opener did name it. Remember who.
 */
static void remember_opener(struct ferry_pci *fpci, const uuid_t *uuid)
{
	struct ferry_pci_token *token = &fpci->token;

	if (!FERRY_VFIO_SKIPS_TOKEN)
		return;
	mutex_lock(&token_lock);
	put_pid(token->opener);
	token->opener = get_pid(task_pid(current));
	token->named = uuid;
	if (uuid)
		token->name = *uuid;
	mutex_unlock(&token_lock);
}

/**
 * ferry_pci_admit - may this device be bound to an iommufd context?
 * @vdev: the device that somebody opens
 *
 * On a VFIO core that doesn't ask for the token on this way: only with the one that
 * the same thread has named a moment ago through the device's group, or if none is
 * needed.
 *
 * Context: the beginning of vfio_device_ops.bind_iommufd.
 * Return: as ferry_pci_match_token().
 */
int ferry_pci_admit(struct vfio_device *vdev)
{
	struct ferry_pci *fpci = to_ferry_pci(to_ferry_device(vdev));
	struct ferry_pci_token *token = &fpci->token;
	bool named;
	int ret;

	if (!FERRY_VFIO_SKIPS_TOKEN)
		return 0;
	mutex_lock(&token_lock);
	named = token->named && token->opener == task_pid(current);
	ret = match_token(fpci, named ? &token->name : NULL);
	put_pid(token->opener);
	token->opener = NULL;
	mutex_unlock(&token_lock);
	return ret;
}

/* What stands behind the address: blanks, and one token at most. */
static int parse_options(char *options, uuid_t *uuid, bool *named)
{
	char *word;

	while ((word = strsep(&options, " "))) {
		if (!*word)
			continue;
		if (*named || !strstarts(word, TOKEN_OPTION))
			return -EINVAL;
		word += strlen(TOKEN_OPTION);
		if (strlen(word) != UUID_STRING_LEN || uuid_parse(word, uuid))
			return -EINVAL;
		*named = true;
	}
	return 0;
}

/**
 * ferry_pci_match - vfio_device_ops.match
 * @vdev: a device of the group that somebody opens one of
 * @buf: the string that names it: an address, and perhaps blanks and
 *	"vf_token=" with a UUID
 *
 * Context: process context. @buf is ours to change once the address is that of the
 * device, for then no other device will see it.
 * Return: 1 if it is this device, 0 if it isn't, or the negative errno with which the
 * opener fails: of ferry_pci_match_token(), or -EINVAL for a string that is malformed.
 */
int ferry_pci_match(struct vfio_device *vdev, char *buf)
{
	struct ferry_pci *fpci = to_ferry_pci(to_ferry_device(vdev));
	const char *name = pci_name(fpci->pdev);
	size_t len = strlen(name);
	bool named = false;
	uuid_t uuid;
	int ret;

	if (strncmp(buf, name, len) || (buf[len] && buf[len] != ' '))
		return 0;
	ret = parse_options(buf + len, &uuid, &named);
	if (ret) {
		dev_info_ratelimited(&fpci->pdev->dev,
				     "can't be opened by that name: behind the address only \" vf_token=<UUID>\" may stand, once\n");
		return ret;
	}
	ret = ferry_pci_match_token(vdev, named ? &uuid : NULL);
	if (ret)
		return ret;
	remember_opener(fpci, named ? &uuid : NULL);
	return 1;
}

/**
 * ferry_pci_token_get - a function has been opened
 * @fpci: the function
 */
void ferry_pci_token_get(struct ferry_pci *fpci)
{
	if (!fpci->pf)
		return;
	mutex_lock(&token_lock);
	fpci->pf->token.users++;
	mutex_unlock(&token_lock);
}

/**
 * ferry_pci_token_put - a function is being closed
 * @fpci: the function
 */
void ferry_pci_token_put(struct ferry_pci *fpci)
{
	if (!fpci->pf)
		return;
	mutex_lock(&token_lock);
	fpci->pf->token.users--;
	mutex_unlock(&token_lock);
}

/**
 * ferry_pci_token_feature - VFIO_DEVICE_FEATURE_PCI_VF_TOKEN
 * @fpci: the function
 * @flags: what to do with the feature; never GET, for the token may be that of a
 *	user before
 * @arg: user pointer to the token
 * @argsz: size of what it points to
 *
 * Return: 0, -ENOTTY for a function that is no physical one, or another negative errno.
 */
int ferry_pci_token_feature(struct ferry_pci *fpci, u32 flags,
			    void __user *arg, size_t argsz)
{
	int ret = -ENOTTY;
	uuid_t uuid;

	if (fpci->pdev->is_physfn)
		ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET,
					 sizeof(uuid));
	if (ret != 1)
		return ret;
	if (copy_from_user(&uuid, arg, sizeof(uuid)))
		return -EFAULT;

	mutex_lock(&token_lock);
	fpci->token.uuid = uuid;
	mutex_unlock(&token_lock);
	return 0;
}
