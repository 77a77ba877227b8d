/* The same bytes there and back over a bare socket, and nothing else: what no client can beat.
 *
 *     floor_client PORT SECONDS
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: floor_client PORT SECONDS\n");
        return 2;
    }
    int wire = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(wire, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(wire, (struct sockaddr *)&at, sizeof at) < 0) {
        perror("connect");
        return 1;
    }
    /* Transaction 1, unit id 1: ten holding registers from 0. */
    const unsigned char ask[12] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10};
    double began = now_s(), end = began + atof(argv[2]), now = began;
    long reads = 0;
    for (; now < end; now = now_s()) {
        for (int i = 0; i < 100; i++, reads++) {
            unsigned char answer[29];
            if (send(wire, ask, sizeof ask, 0) != sizeof ask
                || recv(wire, answer, sizeof answer, MSG_WAITALL) != sizeof answer) {
                perror("exchange");
                return 1;
            }
        }
    }
    printf("%.0f\n", reads / (now - began));
    return 0;
}
