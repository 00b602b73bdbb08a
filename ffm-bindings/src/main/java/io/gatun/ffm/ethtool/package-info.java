/**
 * What only ethtool's ioctl tells or changes: queues and transmit checksums. Source: {@code
 * include/uapi/linux/ethtool.h}.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.ethtool;
