/*
 * oneDNN's calls that take memory, behind an exception barrier: its C interface lets std::bad_alloc out, which would end
 * the process. Each is the function of its name; where it throws, the status is dnnl_out_of_memory (or, for anything
 * else, dnnl_runtime_error), and what it was to make is not made. Threads: as oneDNN's.
 */
#ifndef JC_DNN_GUARD_H
#define JC_DNN_GUARD_H

#include <dnnl.h>

#include "base/attr.h"

JC_C_BEGIN

dnnl_status_t jc_dnnl_engine_create(dnnl_engine_t *engine, dnnl_engine_kind_t kind, size_t index);
dnnl_status_t jc_dnnl_stream_create(dnnl_stream_t *stream, dnnl_engine_t engine, unsigned flags);
dnnl_status_t jc_dnnl_memory_create(dnnl_memory_t *memory, const dnnl_memory_desc_t *desc, dnnl_engine_t engine,
                                    void *handle);
dnnl_status_t jc_dnnl_memory_set_data_handle(dnnl_memory_t memory, void *handle);
dnnl_status_t jc_dnnl_primitive_attr_create(dnnl_primitive_attr_t *attr);
dnnl_status_t jc_dnnl_primitive_desc_create(dnnl_primitive_desc_t *desc, const_dnnl_op_desc_t op,
                                            const_dnnl_primitive_attr_t attr, dnnl_engine_t engine,
                                            const_dnnl_primitive_desc_t hint);
dnnl_status_t jc_dnnl_reorder_primitive_desc_create(dnnl_primitive_desc_t *desc, const dnnl_memory_desc_t *from,
                                                    dnnl_engine_t from_engine, const dnnl_memory_desc_t *to,
                                                    dnnl_engine_t to_engine, const_dnnl_primitive_attr_t attr);
dnnl_status_t jc_dnnl_primitive_create(dnnl_primitive_t *primitive, const_dnnl_primitive_desc_t desc);
dnnl_status_t jc_dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream, int n_args,
                                        const dnnl_exec_arg_t *args);
dnnl_status_t jc_dnnl_stream_wait(dnnl_stream_t stream);

JC_C_END

#endif
