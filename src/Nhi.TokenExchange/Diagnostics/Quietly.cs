namespace Nhi.TokenExchange;

/// <summary>Tells somebody who only listens: if he throws, a flight or a job's end goes on as if he had not.</summary>
internal static class Quietly
{
    public static void Do(Action tell)
    {
        try
        {
            tell();
        }
        catch (Exception)   // see the class
        {
        }
    }
}
