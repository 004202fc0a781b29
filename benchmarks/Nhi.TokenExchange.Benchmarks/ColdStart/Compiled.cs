namespace Nhi.TokenExchange;

/// <summary>How a program was compiled before it was started.</summary>
public enum Compiled
{
    /// <summary>To IL; the JIT compiles each method at its first call.</summary>
    Jit,

    /// <summary>With <c>PublishReadyToRun</c>: code beside the IL, which the JIT replaces where it gets hot.</summary>
    ReadyToRun,

    /// <summary>With <c>PublishAot</c>: native, without a JIT.</summary>
    Ahead,
}
