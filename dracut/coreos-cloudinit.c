/*
 * coreos-cloudinit: the machine's python3 in a process of this program's own. journald notes the executable of whoever sends a
 * message, and people look for it: journalctl _EXE=/usr/bin/coreos-cloudinit. A script's executable is its interpreter.
 *
 * The interpreter is a library that is found when the program starts, by the name of what /usr/bin/python3 is now: an upgrade of
 * Python needs no new build of this, and no header of Python is needed at all, since Py_BytesMain belongs to its stable ABI.
 * Where the library is missing the interpreter itself runs the same script; only the journal then knows another executable.
 *
 * The environment chooses no library. PYTHON_LIBRARIES is the directory, fixed when this was built, and the program carries it as
 * DT_RPATH, which the loader tries before LD_LIBRARY_PATH, also for what the library itself needs (ld.so(8)). Against LD_PRELOAD
 * no program is safe that is not set-user-id.
 */
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

static char python[] = "/usr/bin/python3";
/* As in all launchers: neither the environment nor the current directory decides which code runs. */
static char isolated[] = "-IS";

typedef int interpreter(int argc, char **argv);

/* The script, below the same prefix as this program. */
static int find_script(char script[PATH_MAX])
{
    char self[PATH_MAX];
    if (!realpath("/proc/self/exe", self))
        return 0;
    return snprintf(script, PATH_MAX, "%s/../lib/coreos-ignition/coreos-cloudinit", dirname(self)) < PATH_MAX;
}

/* What python3 itself starts with; NULL if the machine has no such library. */
static interpreter *find_interpreter(void)
{
    char program[PATH_MAX], library[PATH_MAX];
    if (!realpath(python, program))
        return NULL;
    if (snprintf(library, sizeof library, "%s/lib%s.so.1.0", PYTHON_LIBRARIES, basename(program)) >= (int)sizeof library)
        return NULL;
    /* Global: Python's extension modules look for its functions among the program's. */
    void *found = dlopen(library, RTLD_LAZY | RTLD_GLOBAL);
    return found ? (interpreter *)dlsym(found, "Py_BytesMain") : NULL;
}

int main(int argc, char **argv)
{
    char script[PATH_MAX];
    char **arguments = calloc((size_t)argc + 3, sizeof *arguments);
    if (!arguments || !find_script(script)) {
        perror("coreos-cloudinit");
        return 1;
    }
    arguments[0] = python;
    arguments[1] = isolated;
    arguments[2] = script;
    for (int at = 1; at < argc; at++)
        arguments[at + 2] = argv[at];

    interpreter *run = find_interpreter();
    if (run)
        return run(argc + 2, arguments);
    execv(python, arguments);
    perror(python);
    return 1;
}
