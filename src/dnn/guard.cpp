/* Nothing that oneDNN throws passes into C. See guard.h. */
#include "dnn/guard.h"

#include <new>

template <typename... Parameters, typename... Arguments>
static dnnl_status_t guard(dnnl_status_t (*call)(Parameters...), Arguments... arguments) noexcept
{
    try {
        return call(arguments...);
    } catch (const std::bad_alloc &) {
        return dnnl_out_of_memory;
    } catch (...) {
        return dnnl_runtime_error;
    }
}

dnnl_status_t jc_dnnl_engine_create(dnnl_engine_t *engine, dnnl_engine_kind_t kind, size_t index)
{
    return guard(dnnl_engine_create, engine, kind, index);
}

dnnl_status_t jc_dnnl_stream_create(dnnl_stream_t *stream, dnnl_engine_t engine, unsigned flags)
{
    return guard(dnnl_stream_create, stream, engine, flags);
}

dnnl_status_t jc_dnnl_memory_create(dnnl_memory_t *memory, const dnnl_memory_desc_t *desc, dnnl_engine_t engine,
                                    void *handle)
{
    return guard(dnnl_memory_create, memory, desc, engine, handle);
}

dnnl_status_t jc_dnnl_memory_set_data_handle(dnnl_memory_t memory, void *handle)
{
    return guard(dnnl_memory_set_data_handle, memory, handle);
}

dnnl_status_t jc_dnnl_primitive_attr_create(dnnl_primitive_attr_t *attr)
{
    return guard(dnnl_primitive_attr_create, attr);
}

dnnl_status_t jc_dnnl_primitive_desc_create(dnnl_primitive_desc_t *desc, const_dnnl_op_desc_t op,
                                            const_dnnl_primitive_attr_t attr, dnnl_engine_t engine,
                                            const_dnnl_primitive_desc_t hint)
{
    return guard(dnnl_primitive_desc_create, desc, op, attr, engine, hint);
}

dnnl_status_t jc_dnnl_reorder_primitive_desc_create(dnnl_primitive_desc_t *desc, const dnnl_memory_desc_t *from,
                                                    dnnl_engine_t from_engine, const dnnl_memory_desc_t *to,
                                                    dnnl_engine_t to_engine, const_dnnl_primitive_attr_t attr)
{
    return guard(dnnl_reorder_primitive_desc_create, desc, from, from_engine, to, to_engine, attr);
}

dnnl_status_t jc_dnnl_primitive_create(dnnl_primitive_t *primitive, const_dnnl_primitive_desc_t desc)
{
    return guard(dnnl_primitive_create, primitive, desc);
}

dnnl_status_t jc_dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream, int n_args,
                                        const dnnl_exec_arg_t *args)
{
    return guard(dnnl_primitive_execute, primitive, stream, n_args, args);
}

dnnl_status_t jc_dnnl_stream_wait(dnnl_stream_t stream)
{
    return guard(dnnl_stream_wait, stream);
}
