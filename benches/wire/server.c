/* A Modbus TCP server on libmodbus: ten holding registers of about 62.5 °C in tenths, for one
 * client after the other. It is the same for every client that benches/wire.sh measures.
 *
 *     server PORT
 */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: server PORT\n");
        return 2;
    }
    modbus_t *bus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    modbus_mapping_t *map = modbus_mapping_new(0, 0, 10, 0);
    int listener = bus && map ? modbus_tcp_listen(bus, 1) : -1;
    if (listener < 0) {
        perror("listen");
        return 1;
    }
    for (int i = 0; i < 10; i++)
        map->tab_registers[i] = (uint16_t)(620 + i);
    printf("ready\n");
    fflush(stdout);
    while (modbus_tcp_accept(bus, &listener) >= 0) {
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        int length;
        while ((length = modbus_receive(bus, query)) >= 0)
            if (length > 0 && modbus_reply(bus, query, length, map) < 0)
                break;
        modbus_close(bus);
    }
    return 0;
}
