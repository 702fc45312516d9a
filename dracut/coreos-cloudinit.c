/*
 * coreos-cloudinit: runs the machine's python3 in the process of this program. journald records the executable of the sender of a
 * message, and users filter by it: journalctl _EXE=/usr/bin/coreos-cloudinit. A script's executable is its interpreter.
 *
 * The interpreter is a library, located when the program starts by the target of /usr/bin/python3: an upgrade of
 * Python does not require a rebuild, and Python's headers are not needed, because Py_BytesMain belongs to its stable ABI.
 * If the library is missing, the interpreter runs the same script; only the executable in the journal differs then.
 *
 * The environment does not select the library. PYTHON_LIBRARIES is the directory, fixed at build time and stored in the program as
 * DT_RPATH, which the loader searches before LD_LIBRARY_PATH, also for dependencies of the library (ld.so(8)). Only set-user-id
 * programs are protected against LD_PRELOAD.
 */
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

static char python[] = "/usr/bin/python3";
/* As in all launchers: neither the environment nor the current directory determines the code that runs. */
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

/* The entry point of python3; NULL if the machine does not have the library. */
static interpreter *find_interpreter(void)
{
    char program[PATH_MAX], library[PATH_MAX];
    if (!realpath(python, program))
        return NULL;
    if (snprintf(library, sizeof library, "%s/lib%s.so.1.0", PYTHON_LIBRARIES, basename(program)) >= (int)sizeof library)
        return NULL;
    /* Global: Python's extension modules resolve its functions among those of the program. */
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
