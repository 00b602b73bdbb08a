/**
 * Capture files as a port: packets are received from one file and sent into another. The format is
 * the classic one (draft-ietf-opsawg-pcap): a header of 24 bytes, then records.
 *
 * <pre>
 *   magic │ version 2.4 │ zone │ sigfigs │ snaplen │ link type (1 = Ethernet)
 *   seconds │ micro- or nanoseconds │ bytes captured │ bytes on the wire │ captured bytes …
 * </pre>
 *
 * Either byte order and either resolution is read; nanoseconds in little-endian order are written.
 * No length in a file is trusted: a record that is longer than a chunk holds, or than the file,
 * ends the reading with a message that names the record.
 */
@NullMarked
package io.gatun.port.pcap;

import org.jspecify.annotations.NullMarked;
