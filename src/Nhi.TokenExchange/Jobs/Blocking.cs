namespace Nhi.TokenExchange;

/// <summary>The one place where a thread waits for a task: synchronous APIs and signal handlers block their own thread, holding no lock.</summary>
internal static class Blocking
{
#pragma warning disable RS0030 // The wait that everybody else is banned from.
    public static void Wait(Task task) => task.GetAwaiter().GetResult();

    public static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
#pragma warning restore RS0030
}
