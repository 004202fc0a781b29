namespace Nhi.TokenExchange;

internal static class Program
{
    public static Task<int> Main(string[] args) => NhiCommand.RunAsync(args, Screen.OfProcess(), CancellationToken.None);
}
