/* SPDX-License-Identifier: MIT */
#include "core/base/error.h"

#include <stdio.h>

int main(void)
{
    printf("freshet: %s\n", error_text(FRESHET_OK));
    return 0;
}
