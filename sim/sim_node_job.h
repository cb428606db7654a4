/* SPDX-License-Identifier: MIT */
/*
 * Jobs of a pretend machine: disk and hash jobs, HTTP to the pretend tracker, names, and records
 * for its database. Each takes its time and ends in one EVENT_JOB_DONE, unless the machine crashes
 * before. Before and after each change of the disk or the database there is a boundary, at which a
 * node's crash plan may strike.
 */
#ifndef FRESHET_SIM_NODE_JOB_H
#define FRESHET_SIM_NODE_JOB_H

#include "sim/sim_node.h"

void sim_node_job_disk(struct sim_node *node, struct disk_job *job);
void sim_node_job_fetch(struct sim_node *node, const struct fetch_job *job);
void sim_node_job_resolve(struct sim_node *node, const struct resolve_job *job);
void sim_node_job_persist(struct sim_node *node, const struct persist_job *job);
void sim_node_job_datagram(struct sim_node *node, const struct address *remote,
                           struct bytes datagram);
/* To everybody in the LAN; IPv6 leads nowhere. */
void sim_node_job_local(struct sim_node *node, const struct address *group, struct bytes datagram);
void sim_node_job_cancel(struct sim_node *node, job_id id);
/* The program is gone, nobody waits for its jobs. */
void sim_node_job_drop_all(struct sim_node *node);

#endif
