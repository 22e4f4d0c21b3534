/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All counters of the modem: X(member, meaning). `stats` names them by member. */
#ifndef MODEM_COUNTERS_H
#define MODEM_COUNTERS_H

#include <stdint.h>

/* Uplink packets that the modem refuses and drops. */
#define VIOLATIONS(X)                                                                              \
	X(raw_ip, "IP packet without QMAP header on a QMAP trunk")                                 \
	X(not_ip, "packet that is neither IPv4 nor IPv6")                                          \
	X(ip_length, "IP length differs from the frame's")                                         \
	X(truncated_header, "transfer ends inside a header")                                       \
	X(length_beyond, "frame longer than what is left of the transfer")                         \
	X(zero_length, "frame of length zero")                                                     \
	X(pad_too_long, "pad as long as the frame or longer")                                      \
	X(missing_v5_header, "QMAP v5 negotiated, data frame without its header")                  \
	X(unexpected_next_header, "next-header bit, but QMAP v5 was not negotiated")               \
	X(unknown_v5_type, "v5 header of a type other than checksum")                              \
	X(unbound_mux, "mux id that no client has bound")                                          \
	X(not_connected, "mux id bound, but no call of this IP family")                            \
	X(foreign_source, "source address is not the one given to the host")                       \
	X(over_mtu, "IP packet larger than the PDN's MTU")                                         \
	X(transfer_too_large, "transfer larger than the negotiated uplink size")                   \
	X(too_many_frames, "more frames in a transfer than negotiated")                            \
	X(bad_csum_request, "checksum asked for where none can be put")                            \
	X(command_short, "QMAP command shorter than its header")                                   \
	X(command_unknown, "QMAP command from the host that answers nothing")

/* Uplink packets that the modem accepts although the host should not send them. */
#define WARNINGS(X)                                                                                \
	X(unpadded, "packet not padded to a multiple of four")                                     \
	X(pad_excess, "more pad than alignment asks for")                                          \
	X(pad_not_zero, "pad bytes that are not zero")                                             \
	X(bad_checksum, "packet with a wrong TCP, UDP or IPv4 header checksum")                    \
	X(bad_csum_seed, "checksum asked for, field does not hold the pseudo header's sum")

/* Trunk, both directions. */
#define TRUNK_COUNTERS(X)                                                                          \
	X(ul_transfers, "read from the trunk")                                                     \
	X(ul_bytes, "of these")                                                                    \
	X(ul_frames, "good data frames in these")                                                  \
	X(ul_max_transfer, "bytes of the largest")                                                 \
	X(ul_max_frames, "frames of the fullest")                                                  \
	X(ul_csum_offloaded, "checksums filled in for the host")                                   \
	X(ul_silent, "transfers that came while the modem rebooted")                               \
	X(dl_aggregates, "written to the trunk")                                                   \
	X(dl_bytes, "of these")                                                                    \
	X(dl_frames, "data frames in these")                                                       \
	X(dl_max_aggregate, "bytes of the largest")                                                \
	X(dl_max_frames, "frames of the fullest")                                                  \
	X(dl_injected, "transfers written by fault commands")                                      \
	X(dl_noise_frames, "frames of malformed aggregates, before these were spoilt")             \
	X(dl_beyond_urb, "transfers larger than the MTU of the trunk (--urb-mtu)")                 \
	X(dl_lost, "transfers that the trunk did not take (down, or MTU too small)")               \
	X(commands_sent, "QMAP commands to the host")                                              \
	X(command_acks, "answers ACK, transaction and mux id as asked")                            \
	X(command_unsupported, "answers UNSUPPORTED, likewise")                                    \
	X(command_invalid, "answers INVALID, likewise")                                            \
	X(command_mismatched, "answers to a transaction or mux id that was not asked")

/* Per PDN; ul and dl from the host's point of view. Bytes count IP packets. */
#define PDN_COUNTERS(X)                                                                            \
	X(ul_packets, "taken from the host")                                                       \
	X(ul_bytes, "of these")                                                                    \
	X(dl_packets, "sent to the host")                                                          \
	X(dl_bytes, "of these")                                                                    \
	X(dl_noise_frames, "of this mux id in malformed aggregates")                               \
	X(dl_not_connected, "for the host, but no call of this IP family")                         \
	X(dl_oversize, "for the host, but larger than an aggregate")                               \
	X(ul_lost, "not taken by the network side")                                                \
	X(ul_flow_off, "came although flow control has stopped this PDN")                          \
	X(loopback, "sent back by WDA loopback")

/* Control channel. */
#define QMI_COUNTERS(X)                                                                            \
	X(requests, "understood")                                                                  \
	X(responses, "sent")                                                                       \
	X(errors, "of these, with a QMI error")                                                    \
	X(indications, "sent")                                                                     \
	X(malformed, "messages that are not QMI, or whose parts do not fit")                       \
	X(not_requests, "responses or indications from the host")                                  \
	X(ignored, "requests while rebooting")                                                     \
	X(faulted, "requests that a rule was for")                                                 \
	X(never_answered, "requests that a fault left without answer")                             \
	X(syncs, "CTL SYNC requests")                                                              \
	X(starts, "Start Network requests")                                                        \
	X(stops, "Stop Network requests")                                                          \
	X(settings, "Get Current Settings requests")                                               \
	X(pins, "PINs tried")                                                                      \
	X(modes, "Set Operating Mode requests")                                                    \
	X(cards, "Get Card Status requests")                                                       \
	X(garbage_sent, "malformed messages sent")                                                 \
	X(overruns, "connections closed because the host did not read")

#define X(name, text) uint64_t name;
struct violations {
	VIOLATIONS(X)
};

struct warnings {
	WARNINGS(X)
};

struct trunk_counters {
	TRUNK_COUNTERS(X)
};

struct pdn_counters {
	PDN_COUNTERS(X)
};

struct qmi_counters {
	QMI_COUNTERS(X)
};
#undef X

#endif
