/* SPDX-License-Identifier: MIT */
/*
 * What the machine can do at best: one process sends a file over loopback with sendfile, another
 * receives it into memory, takes the SHA-1 of each piece and writes it with pwrite. No protocol, no
 * choices. Usage: raw_limit INPUT OUTPUT PIECE_LENGTH; prints one JSON object.
 */
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu_s(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
}

static void send_all(const char *path, const struct sockaddr_in *address, off_t size)
{
    int file = open(path, O_RDONLY);
    int out = socket(AF_INET, SOCK_STREAM, 0);
    if (file < 0 || out < 0 || connect(out, (const struct sockaddr *)address, sizeof *address) != 0)
        fail("send");
    for (off_t at = 0; at < size;)
        if (sendfile(out, file, &at, (size_t)(size - at)) <= 0)
            fail("sendfile");
    close(out);
    exit(0);
}

static void receive_all(int in, int file, size_t piece_length, off_t size)
{
    unsigned char *piece = malloc(piece_length);
    unsigned char digest[SHA_DIGEST_LENGTH];
    if (!piece)
        fail("malloc");
    for (off_t done = 0; done < size;) {
        SHA_CTX sha1;
        size_t at = 0;
        SHA1_Init(&sha1);
        while (at < piece_length && done + (off_t)at < size) {
            ssize_t got = recv(in, piece + at, piece_length - at, 0);
            if (got <= 0)
                fail("recv");
            SHA1_Update(&sha1, piece + at, (size_t)got);
            at += (size_t)got;
        }
        SHA1_Final(digest, &sha1);
        if (pwrite(file, piece, at, done) != (ssize_t)at)
            fail("pwrite");
        done += (off_t)at;
    }
    free(piece);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: raw_limit INPUT OUTPUT PIECE_LENGTH\n");
        return 2;
    }
    struct stat stat_buffer;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (stat(argv[1], &stat_buffer) != 0 || listening < 0 ||
        bind(listening, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listening, 1) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &length) != 0)
        fail("listen");
    int file = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (file < 0)
        fail(argv[2]);
    double start = now_s();
    pid_t child = fork();
    if (child == 0)
        send_all(argv[1], &address, stat_buffer.st_size);
    int in = accept(listening, NULL, NULL);
    if (child < 0 || in < 0)
        fail("accept");
    receive_all(in, file, strtoul(argv[3], NULL, 10), stat_buffer.st_size);
    double seconds = now_s() - start;
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        fail("sender");
    printf("{\"seconds\": %.6f, \"seed_cpu\": %.6f, \"get_cpu\": %.6f}\n", seconds,
           cpu_s(RUSAGE_CHILDREN), cpu_s(RUSAGE_SELF));
    return 0;
}
