/**
 * The host as a port: a pair of interfaces between the node's own stack and the data path, and what
 * has to be set in the kernel so that the host's traffic to Services goes there.
 *
 * <pre>
 *   host's stack ── gatun0 ═════════ gatun0-dp ── Gatun
 *     169.254.103.1        the pair            (169.254.103.2: source of masqueraded flows
 *                                               to the node itself; nobody has it)
 *
 *   rules    80   iif gatun0-dp to SERVICES            unreachable   nothing goes round in circles
 *            90   iif lo to NODE ipproto P dport N     table 10301   the node to its own node ports
 *           100   lookup local                                       moved here from 0
 *           101   iif lo                               table 10300   the host to Services
 *           102   iif lo from NODE ipproto P sport N   table 10302   replies of the node's servers
 *           103   the same, client addresses kept      table 10301
 *   tables 10300  SERVICES, 169.254.103.2     by gatun0
 *          10301  default                     by gatun0
 *          10302  each pod of this node       by gatun0
 * </pre>
 *
 * Only what the host itself sends ({@code iif lo}) is led to the pair, never what it forwards: so
 * the kernel forwards between pods when Gatun is dead, and what comes out at the dead end of the
 * pair is never led into it again. Reverse path filtering asks the same rules with no ports: so
 * nothing but Services is led there by address alone, and pods are where the kernel's own routes
 * say.
 *
 * <p>Each {@link io.gatun.agent.host.Setting} is written into the run directory before it is done
 * ({@link io.gatun.agent.host.KernelSettings}), so that {@code gatun stop} undoes also what a
 * killed daemon left.
 */
@NullMarked
package io.gatun.agent.host;

import org.jspecify.annotations.NullMarked;
