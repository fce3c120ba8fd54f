// A FUSE file system at ./slow whose server, a process of its own, answers nothing while it is
// held. It has one directory with "file", "link" and "directory"; what is made is forgotten.
// linux/fuse.h; Documentation/filesystems/fuse.rst.
#pragma once
#include <dirent.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "tests/programs/net.h"

enum { kFile = 2, kLink = 3, kDirectory = 4, kNew = 5 };

static volatile int* slow_held;
static const char* slow_text;  // of "file", or NULL: a page of "hello\n"

static struct fuse_attr slow_attr(uint64_t node) {
  struct fuse_attr a;
  memset(&a, 0, sizeof a);
  a.ino = node;
  a.nlink = 1;
  a.size = node == kFile ? 8192 : 0;
  a.mode = node == FUSE_ROOT_ID || node == kDirectory ? S_IFDIR | 0700
           : node == kLink                            ? S_IFLNK | 0777
                                                      : S_IFREG | 0700;
  a.blksize = 4096;
  return a;
}

static uint64_t slow_node(const char* name) {
  return strcmp(name, "file") == 0        ? kFile
         : strcmp(name, "link") == 0      ? kLink
         : strcmp(name, "directory") == 0 ? kDirectory
                                          : 0;
}

static size_t slow_entry(void* to, uint64_t node) {
  struct fuse_entry_out entry;
  memset(&entry, 0, sizeof entry);
  entry.nodeid = node;
  entry.attr = slow_attr(node);
  memcpy(to, &entry, sizeof entry);
  return sizeof entry;
}

static size_t slow_put(void* to, const void* from, size_t size) {
  memcpy(to, from, size);
  return size;
}

static size_t slow_listing_of(char* to, uint64_t offset) {
  if (offset) return 0;
  struct fuse_dirent one = {kFile, 1, 4, DT_REG};
  memset(to, 0, 32);
  memcpy(to, &one, sizeof one);
  memcpy(to + FUSE_NAME_OFFSET, "file", 4);
  return FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + 4);
}

// The answer's body at `to`; its size, or -errno.
static long slow_reply(const struct fuse_in_header* in, const char* body, char* to) {
  switch (in->opcode) {
    case FUSE_INIT: {
      struct fuse_init_out out;
      memset(&out, 0, sizeof out);
      out.major = FUSE_KERNEL_VERSION;
      out.minor = FUSE_KERNEL_MINOR_VERSION;
      out.flags = FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS;
      out.max_write = 1 << 16;
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_LOOKUP: {
      uint64_t node = slow_node(body);
      return node ? (long)slow_entry(to, node) : -ENOENT;
    }
    case FUSE_GETATTR:
    case FUSE_SETATTR: {
      struct fuse_attr_out out;
      memset(&out, 0, sizeof out);
      out.attr = slow_attr(in->nodeid);
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_OPEN:
    case FUSE_OPENDIR: {
      // O_NOATIME asks for the page cache, for mappings.
      struct fuse_open_out out = {.fh = 1};
      if (in->opcode == FUSE_OPEN && !(((const struct fuse_open_in*)body)->flags & O_NOATIME))
        out.open_flags = FOPEN_DIRECT_IO;
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_CREATE: {
      struct fuse_open_out out = {.fh = 1};
      size_t size = slow_entry(to, kNew);
      return (long)(size + slow_put(to + size, &out, sizeof out));
    }
    case FUSE_MKNOD:
    case FUSE_MKDIR:
    case FUSE_SYMLINK: {
      size_t size = slow_entry(to, kNew);
      struct fuse_entry_out* entry = (struct fuse_entry_out*)to;
      entry->attr.mode = in->opcode == FUSE_MKDIR     ? S_IFDIR | 0700
                         : in->opcode == FUSE_SYMLINK ? S_IFLNK | 0777
                                                      : ((const struct fuse_mknod_in*)body)->mode;
      return (long)size;
    }
    case FUSE_LINK: return (long)slow_entry(to, ((const struct fuse_link_in*)body)->oldnodeid);
    case FUSE_READLINK: return (long)slow_put(to, "file", 4);
    case FUSE_READ:
      if (slow_text) {
        uint64_t offset = ((const struct fuse_read_in*)body)->offset, size = strlen(slow_text);
        return offset < size ? (long)slow_put(to, slow_text + offset, size - offset) : 0;
      }
      memset(to, 0, 4096);
      memcpy(to, "hello\n", 6);
      return (long)((const struct fuse_read_in*)body)->size < 4096
                 ? (long)((const struct fuse_read_in*)body)->size
                 : 4096;
    case FUSE_WRITE:
    case FUSE_COPY_FILE_RANGE: {
      struct fuse_write_out out = {.size = 64};
      if (in->opcode == FUSE_WRITE) out.size = ((const struct fuse_write_in*)body)->size;
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_READDIR: return (long)slow_listing_of(to, ((const struct fuse_read_in*)body)->offset);
    case FUSE_STATFS: {
      struct fuse_statfs_out out;
      memset(&out, 0, sizeof out);
      out.st.bsize = 4096;
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_GETXATTR:
      // Else the kernel's own questions: security.capability before each change.
      return strcmp(body + sizeof(struct fuse_getxattr_in), "user.one") == 0
                 ? (long)slow_put(to, "hello", 6)
                 : -ENODATA;
    case FUSE_LISTXATTR: return (long)slow_put(to, "user.one", 9);
    case FUSE_LSEEK: {
      struct fuse_lseek_out out = {.offset = 0};
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_GETLK: {
      struct fuse_lk_out out = {.lk = {.type = F_UNLCK}};
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_POLL: {
      struct fuse_poll_out out = {.revents = POLLIN};
      return (long)slow_put(to, &out, sizeof out);
    }
    case FUSE_IOCTL: return -ENOTTY;
    default: return 0;  // done
  }
}

// One request; the size of what was read.
static ssize_t slow_serve_one(int device) {
  static char request[1 << 18], reply[1 << 16];
  ssize_t size = read(device, request, sizeof request);
  if (size < (ssize_t)sizeof(struct fuse_in_header)) return size;
  const struct fuse_in_header* in = (const struct fuse_in_header*)request;
  if (in->opcode == FUSE_FORGET || in->opcode == FUSE_BATCH_FORGET || in->opcode == FUSE_INTERRUPT)
    return size;
  while (*slow_held) sleep_ms(1);
  struct fuse_out_header out = {sizeof out, 0, in->unique};
  long body = slow_reply(in, request + sizeof *in, reply + sizeof out);
  if (body < 0) out.error = (int)body;
  if (body > 0) out.len += (uint32_t)body;
  memcpy(reply, &out, sizeof out);
  if (write(device, reply, out.len) < 0 && errno != ENOENT) _exit(1);
  return size;
}

static void slow_serve(int device) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (slow_serve_one(device) > 0 || errno == ENOENT) continue;
  _exit(0);
}

// The device to serve it by, or -1 where FUSE is not to be had.
static int slow_mount_unserved(void) {
  slow_held = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return -1;
  while (umount2("slow", MNT_DETACH) == 0) continue;
  if (mkdir("slow", 0700) != 0 && errno != EEXIST) return -1;
  char options[80];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%d,group_id=%d", device, getuid(),
           getgid());
  return mount("green-test", "slow", "fuse", MS_NOSUID | MS_NODEV, options) == 0 ? device : -1;
}

// 0, or -1 where FUSE is not to be had.
static int slow_mount(void) {
  int device = slow_mount_unserved();
  if (device < 0) return -1;
  pid_t server = fork();
  if (server == 0) slow_serve(device);
  close(device);
  return server > 0 ? 0 : -1;
}

static void hold(void) { *slow_held = 1; }
static void answer(void) { *slow_held = 0; }

static void mount_it(void) {
  struct stat st;
  CHECK_OK(slow_mount());
  CHECK_OK(stat("slow", &st));  // the server is there
}

static void* start_nothing(void* unused) { return unused; }

// For the first thread: what is mounted from here on goes with the process. Where FUSE may not be
// mounted there is nothing to be seen.
static void need_fuse(void) {
  if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0) {
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device >= 0) {
      close(device);
      return;
    }
  }
  join(spawn(start_nothing, NULL));
  printf("no FUSE here, nothing tested\n");
  exit(0);
}
