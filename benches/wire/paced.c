/* A Modbus RTU device with ten holding registers on a pty, as slow as its wire: each character,
 * there and back, takes its time at this speed (8N1, ten bits), and the device answers when the
 * line has been silent for 3.5 characters, as it must (Modbus over Serial Line V1.02, 2.5.1.1).
 *
 *     paced LINK BAUD
 *
 * Told to stop, it says how many questions came, and how many of them too early: less than 3.5
 * characters after the last character of its answer.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { QUESTION_LEN = 8, WORDS = 10, ANSWER_LEN = 5 + 2 * WORDS };

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* Sleeps most of the way and spins the rest. */
static void wait_until(double due_s)
{
    double rest_s;
    while ((rest_s = due_s - now_s()) > 0) {
        if (rest_s > 300e-6) {
            struct timespec nap = {0, (long)((rest_s - 200e-6) * 1e9)};
            nanosleep(&nap, NULL);
        }
    }
}

static uint16_t crc(const unsigned char *bytes, int len)
{
    uint16_t rest = 0xFFFF;
    for (int i = 0; i < len; i++) {
        rest ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            rest = rest & 1 ? (rest >> 1) ^ 0xA001 : rest >> 1;
    }
    return rest;
}

static void answer_in(unsigned char *answer)
{
    answer[0] = 1;
    answer[1] = 3;
    answer[2] = 2 * WORDS;
    for (int i = 0; i < WORDS; i++) {
        answer[3 + 2 * i] = (620 + i) >> 8;
        answer[4 + 2 * i] = (620 + i) & 0xFF;
    }
    uint16_t sum = crc(answer, ANSWER_LEN - 2);
    answer[ANSWER_LEN - 2] = sum & 0xFF;
    answer[ANSWER_LEN - 1] = sum >> 8;
}

/* Reads one question; returns when its first character came, or a negative number at the end. */
static double question_from(int port, unsigned char *question)
{
    double began_s = -1;
    int got = 0;
    while (got < QUESTION_LEN && !stopped) {
        struct pollfd wire = {.fd = port, .events = POLLIN};
        if (poll(&wire, 1, 100) <= 0 || !(wire.revents & POLLIN)) {
            if (wire.revents & POLLHUP)
                usleep(1000);
            continue;
        }
        int count = read(port, question + got, QUESTION_LEN - got);
        if (count > 0 && got == 0)
            began_s = now_s();
        got += count > 0 ? count : 0;
    }
    return stopped ? -1 : began_s;
}

static int port_at(const char *link)
{
    int port = posix_openpt(O_RDWR | O_NOCTTY);
    struct termios raw;
    if (port < 0 || grantpt(port) < 0 || unlockpt(port) < 0 || tcgetattr(port, &raw) < 0)
        return -1;
    cfmakeraw(&raw);
    tcsetattr(port, TCSANOW, &raw);
    unlink(link);
    return symlink(ptsname(port), link) < 0 ? -1 : port;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: paced LINK BAUD\n");
        return 2;
    }
    const double char_s = 10.0 / atoi(argv[2]), silence_s = 3.5 * char_s;
    int port = port_at(argv[1]);
    if (port < 0) {
        perror("pty");
        return 1;
    }
    signal(SIGTERM, stop);
    printf("ready\n");
    fflush(stdout);
    unsigned char question[QUESTION_LEN], answer[ANSWER_LEN];
    answer_in(answer);
    long asked = 0, early = 0;
    double began_s, quiet_since_s = 0;
    while ((began_s = question_from(port, question)) >= 0) {
        asked++;
        early += began_s - quiet_since_s < silence_s;
        if (memcmp(question, "\1\3\0\0\0\12", 6) != 0) {
            fprintf(stderr, "another question than is measured\n");
            return 1;
        }
        double due_s = began_s + QUESTION_LEN * char_s + silence_s;
        for (int i = 0; i < ANSWER_LEN; i++) {
            wait_until(due_s += char_s);
            if (write(port, answer + i, 1) != 1)
                return 1;
        }
        quiet_since_s = due_s;
    }
    printf("%ld questions, %ld of them too early\n", asked, early);
    unlink(argv[1]);
    return early > 0;
}
