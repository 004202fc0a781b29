namespace Nhi.TokenExchange.Tests;

internal sealed class MetadataClientsTests
{
    [Test]
    public void The_wire_to_metadata_uses_no_proxy_no_cookie_no_redirect_and_waits_two_and_a_half_seconds_for_a_connection()
    {
        using SocketsHttpHandler sockets = MetadataClients.Sockets();

        Assert.That((sockets.UseProxy, sockets.UseCookies, sockets.AllowAutoRedirect, sockets.ConnectTimeout), Is.EqualTo((false, false, false, TimeSpan.FromMilliseconds(2500))));
    }
}
