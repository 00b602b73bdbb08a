/** Rules that nft(8) takes, and that say what the fronts do. */
@NullMarked
package io.gatun.control.nftables;

import org.jspecify.annotations.NullMarked;
