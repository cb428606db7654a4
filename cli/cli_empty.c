/* SPDX-License-Identifier: MIT */
typedef int cli_placeholder;
