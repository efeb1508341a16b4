"""used.py COMMAND ...: runs it, its output thrown away, and prints its processor seconds and its peak memory in MB. What it says of
a failure is told."""
import os
import sys
import tempfile

said = tempfile.TemporaryFile()
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(said.fileno(), 2)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as why:
        os.write(2, f"{sys.argv[1]}: {why.strerror}\n".encode())
        os._exit(127)
_, status, used = os.wait4(child, 0)
if status:
    said.seek(0)
    sys.stderr.buffer.write(said.read()[-2000:])
    sys.exit(max(1, os.waitstatus_to_exitcode(status)))
print(f"{used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss / 1024:.0f}")
