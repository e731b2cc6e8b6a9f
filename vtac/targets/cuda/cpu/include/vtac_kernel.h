// Binds a kernel of any signature to the runtime, which passes an array of pointers.
#pragma once

namespace vtac {

template <class T>
constexpr const char* dtype_of() {
    if (std::is_same_v<T, __half>) return "float16";
    if (std::is_same_v<T, __nv_bfloat16>) return "bfloat16";
    if (std::is_same_v<T, float>) return "float32";
    if (std::is_same_v<T, double>) return "float64";
    if (std::is_same_v<T, int>) return "int32";
    if (std::is_same_v<T, signed char> || std::is_same_v<T, char>) return "int8";
    if (std::is_same_v<T, unsigned char>) return "uint8";
    return "an unknown type";
}

template <class P>
constexpr Parameter parameter_of() {
    if (!std::is_pointer_v<P>) return {"tensor map", true};
    using T = std::remove_pointer_t<P>;
    return {dtype_of<std::remove_cv_t<T>>(), std::is_const_v<T>};
}

template <class P>
P argument(void* value) {
    if constexpr (std::is_pointer_v<P>) return reinterpret_cast<P>(value);
    else return *static_cast<P*>(value);
}

template <auto function>
struct Bound;

template <class... P, void (*function)(P...)>
struct Bound<function> {
    static_assert(((std::is_pointer_v<P> || sizeof(P) == 128) && ...),
                  "every parameter of the kernel must be a pointer to an array, or a tensor map of 128 bytes");
    static_assert(((std::is_pointer_v<P> || alignof(P) >= 64) && ...),
                  "a tensor map starts at a multiple of 64 bytes: declare its type alignas(64)");
    static constexpr Parameter parameters[sizeof...(P) + 1] = {parameter_of<P>()..., {"", false}};

    template <std::size_t... i>
    static void call(void* const* arguments, std::index_sequence<i...>) {
        function(argument<P>(arguments[i])...);
    }
    static void invoke(void* const* arguments) { call(arguments, std::index_sequence_for<P...>{}); }
    static constexpr Kernel kernel() { return {&invoke, parameters, int(sizeof...(P))}; }
};

}  // namespace vtac
