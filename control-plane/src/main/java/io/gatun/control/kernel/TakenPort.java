package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;

/**
 * An interface that the data path has taken. Immutable.
 *
 * @param number the port's number in the data path
 * @param name the interface's name
 * @param ifIndex the kernel's index, 0 when the kernel knows nothing of it (files, memory)
 * @param mac the source of frames sent there
 * @param mtu of IP packets, bytes
 */
public record TakenPort(int number, String name, int ifIndex, MacAddress mac, int mtu) {}
