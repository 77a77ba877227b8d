/* Reads ten registers for so many seconds with libmodbus, and prints how often in a second.
 *
 *     libmodbus_client PORT SECONDS
 */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
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
        fprintf(stderr, "usage: libmodbus_client PORT SECONDS\n");
        return 2;
    }
    modbus_t *bus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    if (!bus || modbus_connect(bus) < 0) {
        perror("connect");
        return 1;
    }
    modbus_set_slave(bus, 1);
    /* Half a second is its own choice: a busy machine may stand still for longer. */
    modbus_set_response_timeout(bus, 5, 0);
    double began = now_s(), end = began + atof(argv[2]), now = began;
    long reads = 0;
    for (; now < end; now = now_s()) {
        for (int i = 0; i < 100; i++, reads++) {
            uint16_t words[10];
            if (modbus_read_registers(bus, 0, 10, words) != 10 || words[9] != 629) {
                perror("read");
                return 1;
            }
        }
    }
    printf("%.0f\n", reads / (now - began));
    return 0;
}
