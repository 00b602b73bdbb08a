package io.gatun.ffm.netlink;

/** What a dump contains and a {@link NetlinkSubscription} reports changes of. */
public sealed interface KernelObject
    permits Link,
        DeviceSettings,
        BridgePort,
        Address,
        Route,
        NextHopObject,
        Neighbour,
        FdbEntry,
        Rule {}
