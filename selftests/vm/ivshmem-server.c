// SPDX-License-Identifier: GPL-2.0-only
/*
 * What QEMU's ivshmem-doorbell needs on the host: shared memory and eventfds,
 * handed out over a socket (QEMU, docs/specs/ivshmem-spec). There is only ever
 * one peer, the machine under test.
 *
 *   ivshmem-server SOCKET VECTORS
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define VERSION	0
#define PEER	0
#define MEMORY	-1
#define SIZE	0x100000

/* A number of 64 bits, little-endian, and a descriptor if @fd is one. */
static void tell(int to, long long value, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec iov = { &value, sizeof(value) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	if (sendmsg(to, &msg, 0) != sizeof(value))
		perror("ivshmem-server: sendmsg");
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int vectors, memory, peer, s, i;
	char byte;

	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fprintf(stderr, "usage: ivshmem-server SOCKET VECTORS\n");
		return 2;
	}
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	vectors = atoi(argv[2]);
	memory = memfd_create("ivshmem", 0);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	if (memory < 0 || ftruncate(memory, SIZE) || s < 0 ||
	    bind(s, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(s, 1)) {
		perror("ivshmem-server");
		return 1;
	}

	peer = accept(s, NULL, NULL);
	if (peer < 0) {
		perror("ivshmem-server: accept");
		return 1;
	}
	tell(peer, VERSION, -1);
	tell(peer, PEER, -1);
	tell(peer, MEMORY, memory);
	for (i = 0; i < vectors; i++)
		tell(peer, PEER, eventfd(0, EFD_NONBLOCK));
	/* Until the machine is gone. */
	return read(peer, &byte, 1) < 0;
}
