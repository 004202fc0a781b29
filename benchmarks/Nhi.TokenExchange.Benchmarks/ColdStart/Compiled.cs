namespace Nhi.TokenExchange;

/// <summary>How a program was compiled before it was started.</summary>
public enum Compiled
{
    /// <summary>To IL; the JIT compiles each method at its first call.</summary>
    Jit,

    /// <summary>As <see cref="Jit"/>, with our library as its package brings it: compiled code beside the IL.</summary>
    AsShipped,

    /// <summary>All of it with <c>PublishReadyToRun</c>: code beside the IL, which the JIT replaces where it gets hot.</summary>
    ReadyToRun,

    /// <summary>With <c>PublishAot</c>: native, without a JIT.</summary>
    Ahead,
}
