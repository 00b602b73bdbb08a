package io.gatun.ffm.netlink;

/** What a {@link NetlinkSubscription} reports changes of. */
public sealed interface KernelObject permits Link, Address, Route, Neighbour {}
