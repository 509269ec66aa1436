#include "base/resident.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that nobody writes to are as the file has them: what is dropped is read from there again. What the
 * dynamic linker has changed lies in writable segments. */
static int drop(struct dl_phdr_info *info, size_t size, void *context)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t from = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1),
                  to = (info->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~(page - 1);
        if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) && to > from &&
            !strstr(info->dlpi_name, "vdso"))
            (void)madvise((void *)from, to - from, MADV_DONTNEED); /* refused: it stays */
    }
    return 0;
}

void resident_release(void)
{
    malloc_trim(0);
    dl_iterate_phdr(drop, NULL);
}
