# SPDX-License-Identifier: GPL-2.0-only
"""QEMU, told what to do over its monitor protocol (QMP), and other sockets of its."""
import json
import select
import socket
import time


class Failure(Exception):
    """QEMU is gone, is silent, or refuses; the text is for people."""


class Lines:
    """A socket that is read line by line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.rest = b''
        self.ended = False

    def send(self, text):
        self.socket.sendall(text.encode() + b'\n')

    def get(self, seconds):
        """The next line, or None when none comes in that time or ever."""
        until = time.monotonic() + seconds
        while b'\n' not in self.rest and not self.ended:
            left = max(until - time.monotonic(), 0)
            if not select.select([self.socket], [], [], left)[0]:
                return None
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:
                got = b''
            self.ended = not got
            self.rest += got
        line, newline, rest = self.rest.partition(b'\n')
        if not newline:
            return None
        self.rest = rest
        return line.decode(errors='replace').rstrip('\r')


def connect(path, seconds, name='QEMU', alive=lambda: True):
    """The socket that QEMU opens there, so many seconds from now at the latest."""
    until = time.monotonic() + seconds
    while True:
        try:
            return Lines(path)
        except OSError:
            if not alive():
                raise Failure(f'{name} does not start') from None
            if time.monotonic() > until:
                raise Failure(f'{name} does not open {path}') from None
            time.sleep(0.1)


class Monitor:
    """The monitor of a QEMU, which gets so many seconds for each answer."""

    def __init__(self, path, seconds, name='QEMU', alive=lambda: True):
        self.name, self.seconds = name, seconds
        self.events = []
        self.lines = connect(path, seconds, name, alive)
        self.ask('qmp_capabilities')

    def hear(self):
        """The next answer or event; an event is kept, too."""
        line = self.lines.get(self.seconds)
        if line is None:
            raise Failure(self.name + (' has ended' if self.lines.ended else ' is silent'))
        answer = json.loads(line)
        if 'event' in answer:
            self.events.append(answer['event'])
        return answer

    def ask(self, command, **arguments):
        """What a command returns."""
        self.lines.send(json.dumps({'execute': command, 'arguments': arguments}))
        while True:
            answer = self.hear()
            if 'error' in answer:
                raise Failure(f'{self.name} refuses {command}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def say(self, line):
        """What the monitor for people answers to a line."""
        return self.ask('human-monitor-command', **{'command-line': line})

    def wait_for(self, event):
        """Until it has taken place since the last one that was waited for."""
        while event not in self.events:
            self.hear()
        self.events.clear()
